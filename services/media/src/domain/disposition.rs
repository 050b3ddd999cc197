//! `Content-Disposition`, safe for any name (RFC 6266 and 8187).

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What may stand in an extended value as it is.
const EXTENDED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'!')
    .remove(b'#')
    .remove(b'$')
    .remove(b'&')
    .remove(b'+')
    .remove(b'-')
    .remove(b'.')
    .remove(b'^')
    .remove(b'_')
    .remove(b'`')
    .remove(b'|')
    .remove(b'~');

/// The header for a file with this name, to be shown (`inline`) or saved.
pub fn header(inline: bool, name: &str) -> String {
    let kind = if inline { "inline" } else { "attachment" };
    // For clients that do not read the other one. A percent sign would be decoded by some.
    let plain: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_graphic() && !matches!(c, '"' | '\\' | '%' | ';') || c == ' ' {
                c
            } else {
                '_'
            }
        })
        .collect();
    if plain == name {
        return format!("{kind}; filename=\"{plain}\"");
    }
    let extended = utf8_percent_encode(name, EXTENDED);
    format!("{kind}; filename=\"{plain}\"; filename*=UTF-8''{extended}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_arrive_whole() {
        assert_eq!(header(false, "my cup.jpg"), "attachment; filename=\"my cup.jpg\"");
        assert_eq!(
            header(true, "فنجان \"1\".png"),
            "inline; filename=\"_____ _1_.png\"; filename*=UTF-8''%D9%81%D9%86%D8%AC%D8%A7%D9%86%20%221%22.png"
        );
        assert!(header(false, "50%41.txt").contains("filename=\"50_41.txt\""));
    }

    proptest! {
        #[test]
        fn no_name_gets_out_of_its_header(name: String) {
            let header = header(false, &name);
            prop_assert!(header.bytes().all(|b| (0x20..0x7f).contains(&b)));
            prop_assert_eq!(header.matches('"').count(), 2);
        }
    }
}
