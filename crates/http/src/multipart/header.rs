//! What stands in the headers of a form and of its parts.

use percent_encoding::percent_decode_str;

/// The longest boundary (RFC 2046, section 5.1.1).
const MOST_BOUNDARY: usize = 70;

/// What a part of a form says about itself. Nothing of it is to be believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The field's name.
    pub name: String,
    /// The file's name, when the part is a file.
    pub file_name: Option<String>,
    /// The type that it claims.
    pub content_type: Option<String>,
}

/// The boundary that a content type of `multipart/form-data` names.
pub(super) fn boundary(content_type: &str) -> Option<String> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameter(parameters, "boundary")?;
    let fine = (1..=MOST_BOUNDARY).contains(&boundary.len())
        && boundary.is_ascii()
        && !boundary.contains(|c: char| c.is_ascii_control())
        && !boundary.ends_with(' ');
    fine.then_some(boundary)
}

/// What the headers of a part say; `None` when they do not name it.
pub(super) fn part(lines: &[u8]) -> Option<Part> {
    let text = String::from_utf8_lossy(lines);
    let mut part = Part {
        name: String::new(),
        file_name: None,
        content_type: None,
    };
    let mut named = false;
    for line in text.split("\r\n") {
        let Some((header, value)) = line.split_once(':') else {
            continue;
        };
        if header.eq_ignore_ascii_case("content-type") {
            part.content_type = Some(value.trim().to_owned());
        }
        if !header.eq_ignore_ascii_case("content-disposition") {
            continue;
        }
        let (kind, parameters) = value.split_once(';')?;
        if !kind.trim().eq_ignore_ascii_case("form-data") {
            return None;
        }
        part.name = parameter(parameters, "name")?;
        part.file_name =
            extended(parameters).or_else(|| parameter(parameters, "filename").map(|name| unescaped(&name)));
        named = true;
    }
    named.then_some(part)
}

/// Browsers write quotes and line ends in names as percent escapes, and nothing else.
fn unescaped(name: &str) -> String {
    name.replace("%22", "\"")
        .replace("%0D", "\r")
        .replace("%0A", "\n")
}

/// `filename*=UTF-8''…` (RFC 8187).
fn extended(parameters: &str) -> Option<String> {
    let value = parameter(parameters, "filename*")?;
    let (charset, rest) = value.split_once('\'')?;
    let (_, encoded) = rest.split_once('\'')?;
    if !charset.eq_ignore_ascii_case("utf-8") {
        return None;
    }
    let decoded = percent_decode_str(encoded).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

/// One parameter of `a=b; c="d e"`. A backslash escapes a quote or a backslash only: some
/// clients send whole Windows paths.
fn parameter(text: &str, wanted: &str) -> Option<String> {
    let mut rest = text;
    loop {
        rest = rest.trim_start_matches([' ', '\t', ';']);
        let (name, after) = rest.split_once('=')?;
        let (value, after) = if let Some(quoted) = after.trim_start().strip_prefix('"') {
            quoted_text(quoted)?
        } else {
            let (value, after) = after.split_once(';').unwrap_or((after, ""));
            (value.trim().to_owned(), after)
        };
        if name.trim().eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        rest = after;
    }
}

fn quoted_text(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => match characters.next_if(|(_, next)| matches!(next, '"' | '\\')) {
                Some((_, escaped)) => value.push(escaped),
                None => value.push('\\'),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn named(disposition: &str) -> Option<(String, Option<String>)> {
        let part = part(format!("Content-Disposition: {disposition}\r\nContent-Type: image/png").as_bytes())?;
        assert_eq!(part.content_type.as_deref(), Some("image/png"));
        Some((part.name, part.file_name))
    }

    #[test]
    fn names_are_read_as_clients_write_them() {
        for (disposition, file) in [
            (r#"form-data; name="file"; filename="a.png""#, "a.png"),
            ("form-data;name=file;filename=a.png", "a.png"),
            (r#"form-data; filename="a \"b\".png"; name="file""#, "a \"b\".png"),
            (
                r#"form-data; name="file"; filename="C:\dir\a.png""#,
                r"C:\dir\a.png",
            ),
            (r#"form-data; name="file"; filename="a%22b.png""#, "a\"b.png"),
            (r#"form-data; name="file"; filename="سلام; x.png""#, "سلام; x.png"),
            (
                r#"form-data; name="file"; filename="x"; filename*=UTF-8''%E2%82%AC.png"#,
                "€.png",
            ),
        ] {
            let read = named(disposition);
            assert_eq!(
                read,
                Some(("file".to_owned(), Some(file.to_owned()))),
                "{disposition}"
            );
        }
        assert_eq!(
            named(r#"form-data; name="note""#),
            Some(("note".to_owned(), None))
        );
        assert_eq!(named(r#"attachment; name="note""#), None);
        assert_eq!(named(r#"form-data; filename="x""#), None);
        assert_eq!(part(b"Content-Type: text/plain"), None);
    }

    #[test]
    fn only_a_form_with_a_boundary_is_one() {
        let is = |text: &str| boundary(text);
        assert_eq!(is("multipart/form-data; boundary=abc"), Some("abc".to_owned()));
        assert_eq!(
            is("Multipart/Form-Data; charset=x; boundary=\"a b\""),
            Some("a b".to_owned())
        );
        for wrong in [
            "",
            "multipart/form-data",
            "multipart/mixed; boundary=a",
            "multipart/form-data; boundary=",
        ] {
            assert_eq!(is(wrong), None, "{wrong}");
        }
        assert_eq!(
            is(&format!("multipart/form-data; boundary={}", "x".repeat(71))),
            None
        );
    }

    proptest! {
        #[test]
        fn rubbish_is_no_panic(lines: Vec<u8>, text: String) {
            let _ = (part(&lines), boundary(&text), parameter(&text, "name"));
        }
    }
}
