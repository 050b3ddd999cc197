//! Whether a file is harmful.
//!
//! [`rules`] always run, in this process. [`clamd`] is asked where there is one. A file is clean
//! when every scanner that is configured says so; everything else is not clean yet.

pub mod clamd;
pub mod rules;

mod pdf;

/// What a scanner found in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing.
    Clean,
    /// These, by their names, sorted; never empty.
    Infected(Vec<String>),
}

impl Verdict {
    /// Whether nothing was found.
    pub const fn is_clean(&self) -> bool {
        matches!(self, Self::Clean)
    }

    fn of(mut names: Vec<String>) -> Self {
        names.sort_unstable();
        names.dedup();
        if names.is_empty() {
            Self::Clean
        } else {
            Self::Infected(names)
        }
    }
}
