//! Looks for words in everything that the platform keeps.

use std::fmt::Write as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use parlour_testkit::{Database, Vhost};

/// Words in the forms in which they may have been kept: as they are, in base64 wherever they
/// begin, and each of these in hexadecimal.
pub(crate) struct Words(Vec<String>);

impl Words {
    pub(crate) fn of(text: &str) -> Self {
        let mut forms = vec![text.to_owned()];
        for before in 0..3 {
            let shifted = [&b"xx"[..before], text.as_bytes()].concat();
            // The first and the last characters belong to neighbours too.
            let coded = STANDARD_NO_PAD.encode(&shifted[..shifted.len() / 3 * 3]);
            forms.push(coded[before.div_ceil(3) * 4..].to_owned());
        }
        let coded: Vec<String> = forms.iter().map(|form| hex(form.as_bytes())).collect();
        forms.extend(coded);
        Self(forms)
    }

    fn are_in(&self, bytes: &[u8]) -> bool {
        let mut forms = self.0.iter();
        forms.any(|form| bytes.windows(form.len()).any(|part| part == form.as_bytes()))
    }

    pub(crate) fn are_among(&self, messages: &[Vec<u8>]) -> bool {
        messages.iter().any(|message| self.are_in(message))
    }

    /// The tables of all schemas that have them in a row, as `schema.table`, and how many
    /// tables there are.
    pub(crate) async fn in_tables(&self, database: &Database) -> (Vec<String>, usize) {
        let admin = database.admin().await;
        let tables = "SELECT n.nspname::text, c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind IN ('r', 'm') AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2";
        let tables = admin.query(tables, &[]).await.unwrap();
        let mut found = Vec::new();
        for table in &tables {
            let (schema, name): (String, String) = (table.get(0), table.get(1));
            let sql = format!(
                "SELECT EXISTS (SELECT 1 FROM \"{schema}\".\"{name}\" t, unnest($1::text[]) AS form
                 WHERE position(form IN t::text) > 0)"
            );
            if admin.query_one(&sql, &[&self.0]).await.unwrap().get(0) {
                found.push(format!("{schema}.{name}"));
            }
        }
        (found, tables.len())
    }

    /// The queues and streams that have them in a message.
    pub(crate) async fn in_broker(&self, vhost: &Vhost) -> Vec<String> {
        let contents = vhost.contents().await.into_iter();
        let has = contents.filter(|(_, messages)| messages.iter().any(|message| self.are_in(message)));
        has.map(|(name, _)| name).collect()
    }

    /// The files below a folder that have them, by their name.
    pub(crate) fn in_files(&self, folder: &Path) -> Vec<String> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                found.extend(self.in_files(&path));
            } else if self.are_in(&std::fs::read(&path).unwrap()) {
                found.push(path.file_name().unwrap().to_string_lossy().into_owned());
            }
        }
        found.sort();
        found
    }
}

/// Two digits for each byte.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

#[test]
fn words_are_found_in_every_form() {
    let words = Words::of("a canary sings");
    for before in ["", "1", "22", "333"] {
        let text = format!("{before}a canary sings.");
        let coded = STANDARD_NO_PAD.encode(&text);
        let hex = hex(coded.as_bytes());
        for form in [&text, &coded, &hex] {
            assert!(words.are_in(form.as_bytes()), "{form}");
        }
    }
    assert!(!words.are_in(b"a canary sing"));
}
