-- Together: their policies refer to each other.
DROP TABLE scanners, scan_job_files, scan_jobs, scan_results, upload_parts, uploads, result_files, session_files, session_members, sessions, shares, renditions, files,
    holdings, blobs, quotas;
