//! What was sent: the last of it in memory, all of it in files.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use parlour_http::Time;
use serde::Serialize;
use serde_json::Value;
use tokio::io::AsyncWriteExt as _;

/// A file that has grown to this many bytes is put aside, over the one put aside before.
const FILE: u64 = 64 * 1024 * 1024;

/// How something was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Medium {
    /// By e-mail.
    Mail,
    /// As a text message.
    Sms,
    /// As a push message to a browser.
    Push,
}

impl Medium {
    const ALL: [Medium; 3] = [Medium::Mail, Medium::Sms, Medium::Push];

    /// The outbox file's name without its ending.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mail => "mail",
            Self::Sms => "sms",
            Self::Push => "push",
        }
    }
}

/// Something that was sent, as a line of an outbox file has it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Entry {
    /// Whom to: one entry for each recipient.
    pub to: String,
    /// A mail's subject, a push message's title.
    pub subject: Option<String>,
    /// The text.
    pub text: String,
    /// What it was made from, if the sender told.
    pub data: Value,
    /// A mail's HTML part.
    pub html: Option<String>,
    /// Headers of a mail or push message, or a text's form fields, as they came.
    pub headers: BTreeMap<String, String>,
    /// When.
    pub at: Time,
}

/// The place where it all lands.
pub struct Outbox {
    folder: PathBuf,
    keep: usize,
    last: Mutex<VecDeque<(Medium, Entry)>>,
    /// Lines of a file are written one after the other.
    writing: tokio::sync::Mutex<()>,
}

impl Outbox {
    /// One with room for `keep` entries in memory. Its files in `folder` are there from now on, so
    /// that they can be followed before anything was sent.
    pub async fn open(folder: &Path, keep: usize) -> io::Result<Self> {
        for medium in Medium::ALL {
            append(folder, medium.name(), b"").await?;
        }
        Ok(Self {
            folder: folder.to_owned(),
            keep,
            last: Mutex::default(),
            writing: tokio::sync::Mutex::default(),
        })
    }

    /// Adds an entry; it is in its file when this is done.
    pub async fn add(&self, medium: Medium, entry: Entry) -> io::Result<()> {
        let mut line = serde_json::to_vec(&entry)?;
        line.push(b'\n');
        {
            let _turn = self.writing.lock().await;
            append(&self.folder, medium.name(), &line).await?;
        }
        let mut last = self.lock();
        last.push_back((medium, entry));
        while last.len() > self.keep {
            last.pop_front();
        }
        Ok(())
    }

    /// The last entries, newest first.
    pub fn newest_first(&self) -> Vec<(Medium, Entry)> {
        self.lock().iter().rev().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<(Medium, Entry)>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn append(folder: &Path, name: &str, line: &[u8]) -> io::Result<()> {
    let path = folder.join(format!("{name}.jsonl"));
    let mut file = tokio::fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(&path)
        .await?;
    file.write_all(line).await?;
    file.flush().await?;
    if file.metadata().await?.len() > FILE {
        tokio::fs::rename(&path, folder.join(format!("{name}.1.jsonl"))).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(text: &str) -> Entry {
        Entry {
            to: "ana@example.org".to_owned(),
            subject: None,
            text: text.to_owned(),
            data: Value::Null,
            html: None,
            headers: BTreeMap::new(),
            at: chrono::DateTime::UNIX_EPOCH.into(),
        }
    }

    #[tokio::test]
    async fn memory_has_the_last_and_the_file_has_all() {
        let folder = tempfile::tempdir().unwrap();
        let outbox = Outbox::open(folder.path(), 2).await.unwrap();
        let empty = std::fs::read_to_string(folder.path().join("mail.jsonl"));
        assert_eq!(empty.unwrap(), "");
        for text in ["one", "two\nlines", "three"] {
            outbox.add(Medium::Sms, entry(text)).await.unwrap();
        }
        let last: Vec<String> = outbox.newest_first().into_iter().map(|(_, e)| e.text).collect();
        assert_eq!(last, ["three", "two\nlines"]);
        let file = std::fs::read_to_string(folder.path().join("sms.jsonl")).unwrap();
        let texts: Vec<Value> = file
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["text"].clone())
            .collect();
        assert_eq!(texts, ["one", "two\nlines", "three"]);
    }
}
