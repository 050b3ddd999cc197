//! Everything that is wrong, told at once.

/// Collects what is wrong.
#[derive(Default)]
pub(crate) struct Report(Vec<String>);

impl Report {
    pub(crate) fn add(&mut self, problem: impl Into<String>) {
        self.0.push(problem.into());
    }

    /// Notes every line that only one of two sorted lists has.
    pub(crate) fn compare(&mut self, what: &str, expected: &[String], found: &[String]) {
        for line in expected.iter().filter(|line| !found.contains(line)) {
            self.add(format!("{what}: missing  {line}"));
        }
        for line in found.iter().filter(|line| !expected.contains(line)) {
            self.add(format!("{what}: too much {line}"));
        }
    }

    /// Fails the test if anything was wrong.
    #[track_caller]
    pub(crate) fn end(self, title: &str) {
        let count = self.0.len();
        assert!(count == 0, "{title}: {count} problems\n  {}", self.0.join("\n  "));
    }
}
