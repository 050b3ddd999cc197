//! All that commands print goes through here, because the reader may stop reading
//! (`parlour … | head`), and that is a quiet end and not a panic.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Nobody reads any more what is printed.
#[derive(Debug)]
struct Unread;

impl Display for Unread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("nobody reads standard output any more")
    }
}

impl std::error::Error for Unread {}

/// Prints a line. Fails when nobody reads it: hand that on, and the command ends.
pub(crate) fn line(text: impl Display) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Err(Unread.into()),
        written => written.context("cannot write to standard output"),
    }
}

/// Prints a line about work that goes on whether anybody reads it or not.
pub(crate) fn progress(text: impl Display) -> anyhow::Result<()> {
    match line(text) {
        Err(error) if error.is::<Unread>() => Ok(()),
        printed => printed,
    }
}

/// Prints a remark beside the output.
pub(crate) fn remark(text: impl Display) {
    // There is nowhere left to say that this cannot be said.
    let _ = writeln!(io::stderr(), "parlour: {text}");
}

/// How the process ends.
pub(crate) fn exit(result: &anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is::<Unread>() => ExitCode::SUCCESS,
        Err(error) => {
            remark(format_args!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Ends when whoever read our output is gone, so that a command that waits does not
/// stay for nobody. A file or a terminal is never gone.
pub(crate) async fn unread() {
    loop {
        tokio::time::sleep(Duration::from_millis(250)).await;
        let out = io::stdout();
        // Nothing is asked for, so that only the end is told.
        let mut asked = [PollFd::new(&out, PollFlags::empty())];
        if poll(&mut asked, Some(&Timespec::default())).is_ok_and(|told| told > 0) {
            return;
        }
    }
}
