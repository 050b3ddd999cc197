// Files that are two things at once. What is mark-up in a picture is no picture to some reader.

rule markup_in_media {
    strings:
        $script = /<script[\s>\/]/ nocase
        $html = /<html[\s>]/ nocase
        $doctype = /<!doctype\s{1,8}html/ nocase
        $frame = /<iframe[\s>\/]/ nocase
        $svg = /<svg[\s>\/][^>]{0,200}(xmlns|onload)/ nocase
        $handler = /<(img|body|video|audio|details|input)[\s\/][^>]{0,120}\bon(error|load|toggle|focus|click)\s{0,4}=/ nocase
    condition:
        media and any of them
}

rule php_in_file {
    strings:
        $long = "<?php" nocase
        $echo = /<\?=\s{0,8}[$`a-zA-Z_\\(]/
        $use = /(system|exec|passthru|shell_exec|eval|assert|base64_decode|\$_(GET|POST|REQUEST|COOKIE|SERVER))\s{0,4}[(\[]/
    condition:
        $long or ($echo and $use)
}

rule archive_in_media {
    strings:
        // A ZIP's end: archive readers look for it from behind, wherever the file begins.
        $end = { 50 4B 05 06 00 00 00 00 }
        $entry = { 50 4B 03 04 (0A | 14 | 2D | 3F) 00 ?? ?? (00 | 08) 00 }
        $rar = { 52 61 72 21 1A 07 (00 | 01 00) }
        $seven = { 37 7A BC AF 27 1C 00 }
        $cab = { 4D 53 43 46 00 00 00 00 [4] 00 00 00 00 }
    condition:
        not text and ($end or $entry or $rar or $seven or $cab)
}

rule pdf_in_media {
    strings:
        $pdf = /%PDF-1\.[0-7]/
        $end = "%%EOF"
    condition:
        media and $pdf and $end
}
