//! A service described, and what runs it: start-up, probes, jobs, graceful stop.
