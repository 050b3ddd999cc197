//! The names of files and folders, made harmless.

use unicode_normalization::UnicodeNormalization as _;

/// The most characters of a file's name.
pub const MOST_NAME: usize = 200;
/// The most characters of a folder.
pub const MOST_FOLDER: usize = 200;
/// What a file without a name is called.
const NAMELESS: &str = "file";

/// Characters that turn text round or are not seen, and make one name look like another.
fn is_hidden(c: char) -> bool {
    matches!(c, '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

/// The name to keep of the one that a client gave: its last part, without what is not
/// seen, and short. A long one is cut before its extension.
pub fn clean(given: &str) -> String {
    let last = given.rsplit(['/', '\\']).next().unwrap_or_default();
    let normal: String = last
        .nfc()
        .filter(|c| !c.is_control() && !is_hidden(*c))
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .collect();
    let trimmed = normal
        .trim()
        .trim_start_matches('.')
        .trim_end_matches(['.', ' '])
        .trim();
    if trimmed.is_empty() {
        return NAMELESS.to_owned();
    }
    if trimmed.chars().count() <= MOST_NAME {
        return trimmed.to_owned();
    }
    let extension = trimmed
        .rsplit_once('.')
        .map(|(_, extension)| extension)
        .filter(|extension| (1..=10).contains(&extension.chars().count()));
    match extension {
        Some(extension) => {
            let room = MOST_NAME - 1 - extension.chars().count();
            let stem: String = trimmed.chars().take(room).collect();
            format!("{stem}.{extension}")
        }
        None => trimmed.chars().take(MOST_NAME).collect(),
    }
}

/// The name with another extension in the place of its own.
pub fn with_extension(name: &str, extension: &str) -> String {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    format!("{stem}.{extension}")
}

/// A folder as `a/b/c`; `None` when it cannot be one.
pub fn folder(given: &str) -> Option<String> {
    let parts: Vec<String> = given
        .split('/')
        .map(|part| part.nfc().collect::<String>().trim().to_owned())
        .filter(|part| !part.is_empty())
        .collect();
    let folder = parts.join("/");
    let fine = parts.iter().all(|part| part != "." && part != "..")
        && !folder
            .chars()
            .any(|c| c.is_control() || c == '\\' || is_hidden(c))
        && folder.chars().count() <= MOST_FOLDER;
    fine.then_some(folder)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_cleaned() {
        for (given, kept) in [
            ("cup.jpg", "cup.jpg"),
            ("../../etc/passwd", "passwd"),
            (r"C:\Users\ana\cup.jpg", "cup.jpg"),
            ("..", "file"),
            ("", "file"),
            ("a\r\nb\0.png", "ab.png"),
            ("gpj.\u{202e}exe", "gpj.exe"),
            (".htaccess", "htaccess"),
            ("فنجان قهوة ☕.png", "فنجان قهوة ☕.png"),
            ("a/", "file"),
            ("x. . ", "x"),
        ] {
            assert_eq!(clean(given), kept, "{given:?}");
        }
        let long = clean(&format!("{}.jpeg", "n".repeat(5000)));
        assert_eq!(long.chars().count(), MOST_NAME);
        assert!(
            std::path::Path::new(&long)
                .extension()
                .is_some_and(|e| e == "jpeg")
        );
    }

    #[test]
    fn folders_are_paths_without_ways_out() {
        assert_eq!(folder("/a//b c/").as_deref(), Some("a/b c"));
        assert_eq!(folder("").as_deref(), Some(""));
        for wrong in ["a/../b", "..", "a\\b", "a\nb", &"x".repeat(201)] {
            assert_eq!(folder(wrong), None, "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn a_clean_name_stays_as_it_is(given: String) {
            let once = clean(&given);
            prop_assert_eq!(clean(&once), once.clone());
            prop_assert!(!once.is_empty() && once.chars().count() <= MOST_NAME);
            prop_assert!(!once.contains(['/', '\\', '\0', '\n', '\r']));
        }
    }
}
