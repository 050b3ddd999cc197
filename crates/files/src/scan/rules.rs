//! The rules that are part of the program (YARA, by boreal), over whole files or their windows.

use std::time::{Duration, Instant};

use boreal::Compiler;
use boreal::scanner::{ScanError, ScanParams};

use super::{Verdict, pdf};
use crate::kinds::{Group, Kind};

const RULES: [&str; 4] = [
    include_str!("../../rules/test.yar"),
    include_str!("../../rules/programs.yar"),
    include_str!("../../rules/polyglots.yar"),
    include_str!("../../rules/documents.yar"),
];

/// How much of a file is looked at together.
pub const WINDOW: usize = 4 << 20;
/// What two windows share: nothing that a rule looks for is longer.
pub const OVERLAP: usize = 64 << 10;

/// Why a file could not be scanned to its end. It is not clean then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failed {
    /// It took longer than a scan may.
    #[error("the scan took too long")]
    Overdue,
    /// The engine gave up.
    #[error("the scan did not finish")]
    Engine,
}

/// Why the rules do not compile: a fault of the program, found at its start.
#[derive(Debug, thiserror::Error)]
#[error("the rules of the file scanner: {0}")]
pub struct BadRules(String);

/// The compiled rules. Cheap to clone, and one may scan many files at once.
#[derive(Clone, Debug)]
pub struct Scanner {
    engine: boreal::Scanner,
    patience: Duration,
}

impl Scanner {
    /// Compiles the rules. No file is scanned for longer than `patience`.
    pub fn new(patience: Duration) -> Result<Self, BadRules> {
        let mut compiler = Compiler::new();
        for name in ["head", "text", "media", "pdf"] {
            compiler.define_symbol(name, false);
        }
        for rules in RULES {
            compiler
                .add_rules_str(rules)
                .map_err(|error| BadRules(error.to_string()))?;
        }
        Ok(Self {
            engine: compiler.finalize(),
            patience,
        })
    }

    /// Scans a file that is wholly here.
    pub fn scan(&self, kind: Kind, bytes: &[u8]) -> Result<Verdict, Failed> {
        let mut scan = self.begin(kind);
        scan.feed(bytes)?;
        scan.finish()
    }

    /// Begins to scan a file that comes in parts. Parts may be of any size; at most a window and a
    /// part of it are kept.
    pub fn begin(&self, kind: Kind) -> Scan<'_> {
        Scan {
            scanner: self,
            kind,
            window: Vec::new(),
            at_head: true,
            names: Vec::new(),
            end: Instant::now() + self.patience,
            unpacked: 0,
        }
    }
}

/// A file on its way through the rules.
#[derive(Debug)]
pub struct Scan<'a> {
    scanner: &'a Scanner,
    kind: Kind,
    window: Vec<u8>,
    at_head: bool,
    names: Vec<String>,
    end: Instant,
    unpacked: usize,
}

impl Scan<'_> {
    /// Takes the next part of the file.
    pub fn feed(&mut self, mut part: &[u8]) -> Result<(), Failed> {
        while !part.is_empty() {
            let room = WINDOW.saturating_sub(self.window.len());
            let (now, later) = part.split_at_checked(room).unwrap_or((part, &[]));
            self.window.extend_from_slice(now);
            part = later;
            if self.window.len() >= WINDOW && !part.is_empty() {
                self.look()?;
                let surplus = self.window.len().saturating_sub(OVERLAP);
                self.window.drain(..surplus);
                self.at_head = false;
            }
        }
        Ok(())
    }

    /// What was found, now that the file has ended.
    pub fn finish(mut self) -> Result<Verdict, Failed> {
        self.look()?;
        Ok(Verdict::of(self.names))
    }

    fn look(&mut self) -> Result<(), Failed> {
        let window = std::mem::take(&mut self.window);
        let mut looked = self.apply(&window, self.at_head);
        if looked.is_ok() && self.kind == Kind::Pdf {
            looked = self.look_into(&window);
        }
        self.window = window;
        looked
    }

    /// A PDF's names without their escapes, and what its packed streams hold.
    fn look_into(&mut self, window: &[u8]) -> Result<(), Failed> {
        if let Some(plain) = pdf::without_escapes(window) {
            self.apply(&plain, false)?;
        }
        let mut rest = window;
        while let Some((unpacked, after)) = pdf::next_stream(rest, pdf::MOST.saturating_sub(self.unpacked)) {
            rest = after;
            self.unpacked = self.unpacked.saturating_add(unpacked.len());
            self.apply(&unpacked, false)?;
            if let Some(plain) = pdf::without_escapes(&unpacked) {
                self.apply(&plain, false)?;
            }
        }
        Ok(())
    }

    fn apply(&mut self, bytes: &[u8], head: bool) -> Result<(), Failed> {
        let left = self.end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(Failed::Overdue);
        }
        let mut engine = self.scanner.engine.clone();
        let media = self.kind.group() != Group::Document;
        let facts = [
            ("head", head),
            ("text", self.kind == Kind::Text),
            ("media", media),
            ("pdf", self.kind == Kind::Pdf),
        ];
        for (name, value) in facts {
            engine.define_symbol(name, value).map_err(|_| Failed::Engine)?;
        }
        engine.set_scan_params(ScanParams::default().timeout_duration(Some(left)));
        let found = engine.scan_mem(bytes).map_err(|(error, _)| match error {
            ScanError::Timeout => Failed::Overdue,
            _ => Failed::Engine,
        })?;
        self.names
            .extend(found.rules.iter().map(|rule| rule.name.to_owned()));
        Ok(())
    }
}
