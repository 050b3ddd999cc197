// The file by which scanners are tried (EICAR): harmless, and to be found anywhere.
rule eicar_test_file {
    strings:
        $text = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
    condition:
        $text
}
