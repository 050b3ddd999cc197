// Programs and scripts, however they are named or whatever they hide behind.
// `head` is true for the window that begins with the file's first byte; `text` for a plain text, `media` for all but documents.

rule windows_program {
    strings:
        $stub = "This program cannot be run in DOS mode"
        $stub_16 = "This program must be run under Win32"
        $pe = { 50 45 00 00 (4C 01 | 64 86 | C4 01 | 64 AA) ?? 00 [16] (E0 | F0) 00 }
    condition:
        (head and uint16(0) == 0x5A4D) or $pe or (not text and any of ($stub*))
}

rule unix_program {
    strings:
        // Magic, 32 or 64 bits, either byte order, version 1, a known system, seven zeros, a kind of object.
        $elf = { 7F 45 4C 46 (01 | 02) (01 | 02) 01 (00 | 03 | 09) 00 00 00 00 00 00 00 00 ( (01 | 02 | 03 | 04) 00 | 00 (01 | 02 | 03 | 04) ) }
    condition:
        (head and uint32(0) == 0x464C457F) or $elf
}

rule mac_program {
    strings:
        // 64 and 32 bits, x86 and ARM, an executable, a library or a bundle.
        $macho = { (CE | CF) FA ED FE (07 | 0C) 00 00 (00 | 01) ?? 00 00 (00 | 80) (02 | 06 | 08) 00 00 00 }
    condition:
        $macho or (head and (uint32(0) == 0xFEEDFACF or uint32(0) == 0xFEEDFACE or uint32be(0) == 0xFEEDFACF or uint32be(0) == 0xCAFEBABE))
}

rule android_or_java_program {
    strings:
        $dex = { 64 65 78 0A 30 33 (35 | 36 | 37 | 38 | 39) 00 }
        $class = { CA FE BA BE 00 00 00 (2D | 2E | 2F | 3? | 4?) 00 }
    condition:
        $dex or (head and $class at 0)
}

rule windows_shortcut {
    strings:
        $lnk = { 4C 00 00 00 01 14 02 00 00 00 00 00 C0 00 00 00 00 00 00 46 }
    condition:
        head and $lnk at 0
}

rule shell_script {
    strings:
        $bang = /#!\s{0,8}\/(usr\/(local\/)?)?bin\/(env\s{1,8})?(ba|da|z|k|c)?(sh|python|perl|ruby|node|php)/
    condition:
        $bang and (media or (head and $bang in (0..16)))
}

rule windows_script {
    strings:
        $host = /(wscript\.shell|scripting\.filesystemobject|adodb\.stream)/ nocase
        $make = /(createobject|activexobject|new-object)\s{0,8}[("' ]/ nocase
        $power = /powershell(\.exe)?\s{1,8}[^\r\n]{0,80}-(e|ec|enc|encodedcommand|nop|noprofile|w|windowstyle)\s/ nocase
    condition:
        ($host and $make) or $power
}
