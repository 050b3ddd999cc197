// Documents that do something when they are opened. `pdf` is true for a PDF and for what was
// unpacked from one; names in it are as they read without escapes.

rule office_macros {
    strings:
        $ole = { D0 CF 11 E0 A1 B1 1A E1 }
        $project = "vbaProject.bin" nocase
        $wide = "_VBA_PROJECT" wide nocase
        $plain = "_VBA_PROJECT" nocase
    condition:
        (head and $ole at 0) or $project or $wide or ($ole and $plain)
}

rule pdf_javascript {
    strings:
        $type = /\/S\s{0,16}\/JavaScript\b/
        // A text, a text in hexadecimal, or the number of an object; less would be found in any picture's bytes.
        $code = /\/JS\s{0,16}(\([\x20-\x7e\t\r\n]{8}|<[0-9a-fA-F\s]{8}|\d{1,10}\s{1,8}\d{1,5}\s{1,8}R\b)/
        $tree = /\/JavaScript\s{0,16}(<<|\d{1,10}\s{1,8}\d{1,5}\s{1,8}R\b)/
        $form = /\/XFA\s{0,16}(\[\s{0,16}[(\d]|\d{1,10}\s{1,8}\d{1,5}\s{1,8}R\b)/
    condition:
        pdf and any of them
}

rule pdf_launch {
    strings:
        $launch = /\/S\s{0,16}\/Launch\b/
        $media = /\/(RichMedia|RichMediaContent|RichMediaSettings)\b/
    condition:
        pdf and any of them
}

rule pdf_embedded_file {
    strings:
        $tree = /\/EmbeddedFiles?\b/
        $spec = /\/EF\s{0,16}(<<|\d{1,10}\s{1,8}\d{1,5}\s{1,8}R\b)/
    condition:
        pdf and any of them
}

// Objects that the rules above could not read: packed in a way that no ordinary program packs them, or encrypted.
rule pdf_hidden_objects {
    strings:
        $objects = /\/Type\s{0,16}\/ObjStm\b/
        $odd = /\/Filter\s{0,16}\[?\s{0,16}\/(LZWDecode|LZW|ASCII85Decode|A85|ASCIIHexDecode|AHx|RunLengthDecode|RL|Crypt)\b[^>]{0,200}\/Type\s{0,16}\/ObjStm\b/
        $odd_later = /\/Type\s{0,16}\/ObjStm\b[^>]{0,200}\/Filter\s{0,16}\[?\s{0,16}\/(LZWDecode|LZW|ASCII85Decode|A85|ASCIIHexDecode|AHx|RunLengthDecode|RL|Crypt)\b/
        $encrypted = /\/Encrypt\s{0,16}(<<|\d{1,10}\s{1,8}\d{1,5}\s{1,8}R\b)/
    condition:
        pdf and ($odd or $odd_later or ($encrypted and $objects))
}
