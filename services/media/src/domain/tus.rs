//! What stands in the headers of the tus protocol, version 1.0.0.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::names;

/// The longest `Upload-Metadata`.
const MOST_METADATA: usize = 8 * 1024;
/// The most characters of a description.
const MOST_DESCRIPTION: usize = 2000;

/// What `Upload-Metadata` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// `filename`, or `name`.
    pub name: String,
    /// `filetype`, or `type`.
    pub declared: Option<String>,
    /// `folder`
    pub folder: String,
    /// `description`
    pub description: Option<String>,
}

impl Metadata {
    /// Reads the header; the error says what is wrong with it. Unknown keys are ignored.
    pub fn parse(header: &str) -> Result<Self, &'static str> {
        if header.len() > MOST_METADATA {
            return Err("is too long");
        }
        let mut read = Self::default();
        for pair in header.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
            let value = STANDARD.decode(value.trim()).map_err(|_| "is not base64")?;
            let value = String::from_utf8(value).map_err(|_| "is not UTF-8")?;
            if value.contains('\0') {
                return Err("must not contain a null character");
            }
            match key {
                "filename" | "name" => read.name = value,
                "filetype" | "type" => read.declared = Some(value).filter(|value| !value.is_empty()),
                "folder" => read.folder = names::folder(&value).ok_or("has no folder in folder")?,
                "description" if value.chars().count() > MOST_DESCRIPTION => {
                    return Err("has a description of more than 2000 characters");
                }
                "description" => read.description = Some(value),
                _ => {}
            }
        }
        Ok(read)
    }
}

/// What a piece is checked by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// SHA-1, which the protocol asks for.
    Sha1,
    /// SHA-256.
    Sha256,
}

/// `Upload-Checksum`: how to compute it, and what has to come out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checksum {
    /// How.
    pub algorithm: Algorithm,
    /// What.
    pub digest: Vec<u8>,
}

impl Checksum {
    /// The algorithms, as `Tus-Checksum-Algorithm` lists them.
    pub const ALGORITHMS: &str = "sha1,sha256";

    /// Reads the header.
    pub fn parse(header: &str) -> Option<Self> {
        let (name, digest) = header.trim().split_once(' ')?;
        let algorithm = match name {
            "sha1" => Algorithm::Sha1,
            "sha256" => Algorithm::Sha256,
            _ => return None,
        };
        let digest = STANDARD.decode(digest.trim()).ok()?;
        Some(Self { algorithm, digest })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn metadata_are_read() {
        let read = Metadata::parse(
            "filename Y3VwLnBuZw==,filetype aW1hZ2UvcG5n,folder YS9i,secret,description 2YXYsdit2KjYpw==",
        );
        let expected = Metadata {
            name: "cup.png".to_owned(),
            declared: Some("image/png".to_owned()),
            folder: "a/b".to_owned(),
            description: Some("مرحبا".to_owned()),
        };
        assert_eq!(read, Ok(expected));
        assert_eq!(Metadata::parse(""), Ok(Metadata::default()));
        assert_eq!(Metadata::parse("filename ***"), Err("is not base64"));
        assert_eq!(Metadata::parse("filename /w=="), Err("is not UTF-8"));
        assert_eq!(Metadata::parse("folder Li4="), Err("has no folder in folder"));
        assert_eq!(Metadata::parse(&"x".repeat(9000)), Err("is too long"));
    }

    #[test]
    fn checksums_are_read() {
        let read = Checksum::parse("sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0=").unwrap();
        assert_eq!((read.algorithm, read.digest.len()), (Algorithm::Sha1, 20));
        assert_eq!(Checksum::parse("md5 AAAA"), None);
        assert_eq!(Checksum::parse("sha1 ***"), None);
        assert_eq!(Checksum::parse("sha1"), None);
    }

    proptest! {
        #[test]
        fn rubbish_is_no_panic(text: String) {
            let _ = (Metadata::parse(&text), Checksum::parse(&text));
        }
    }
}
