//! The commands of SMTP.

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Ehlo,
    Helo,
    /// The sender, and how large the mail will be if the client said.
    Mail {
        size: Option<usize>,
    },
    Rcpt {
        to: String,
    },
    Data,
    Rset,
    Noop,
    Help,
    Vrfy,
    Quit,
    /// A known command that is not used so.
    Malformed,
    Unknown,
}

impl Command {
    /// Reads a line.
    pub(super) fn read(line: &str) -> Self {
        let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
        let rest = rest.trim();
        match verb.to_ascii_uppercase().as_str() {
            "EHLO" if !rest.is_empty() => Self::Ehlo,
            "HELO" if !rest.is_empty() => Self::Helo,
            "MAIL" => mail(rest).unwrap_or(Self::Malformed),
            "RCPT" => rcpt(rest).unwrap_or(Self::Malformed),
            "DATA" if rest.is_empty() => Self::Data,
            "RSET" if rest.is_empty() => Self::Rset,
            "QUIT" if rest.is_empty() => Self::Quit,
            "NOOP" => Self::Noop,
            "HELP" => Self::Help,
            "VRFY" => Self::Vrfy,
            "EHLO" | "HELO" | "DATA" | "RSET" | "QUIT" => Self::Malformed,
            _ => Self::Unknown,
        }
    }
}

fn mail(rest: &str) -> Option<Command> {
    let (_, parameters) = path(rest, "FROM:")?;
    let mut size = None;
    for parameter in parameters.split_whitespace() {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match name.to_ascii_uppercase().as_str() {
            "SIZE" => size = Some(value.parse().ok()?),
            "BODY" | "SMTPUTF8" => {}
            _ => return None,
        }
    }
    Some(Command::Mail { size })
}

fn rcpt(rest: &str) -> Option<Command> {
    let (to, parameters) = path(rest, "TO:")?;
    let fine = !to.is_empty() && parameters.trim().is_empty();
    fine.then(|| Command::Rcpt { to: to.to_owned() })
}

/// `FROM:<ana@example.org> SIZE=7` is the address and the rest.
fn path<'l>(rest: &'l str, keyword: &str) -> Option<(&'l str, &'l str)> {
    let head = rest.get(..keyword.len())?;
    let rest = rest.get(keyword.len()..)?.trim_start().strip_prefix('<')?;
    let end = rest.find("> ").or_else(|| rest.strip_suffix('>').map(str::len))?;
    let known = head.eq_ignore_ascii_case(keyword);
    known.then_some((rest.get(..end)?, rest.get(end + 1..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_whatever_their_case() {
        let rcpt = |to: &str| Command::Rcpt { to: to.to_owned() };
        for (line, command) in [
            ("ehlo me", Command::Ehlo),
            ("EHLO", Command::Malformed),
            ("Mail From:<ana@example.org>", Command::Mail { size: None }),
            (
                "MAIL FROM: <> SIZE=12 BODY=8BITMIME SMTPUTF8",
                Command::Mail { size: Some(12) },
            ),
            ("MAIL FROM:<a@b> SIZE=x", Command::Malformed),
            ("MAIL FROM:<a@b> FUTURE=1", Command::Malformed),
            ("MAIL TO:<a@b>", Command::Malformed),
            ("RCPT TO:<آنا@example.org>", rcpt("آنا@example.org")),
            ("RCPT TO:<ana@example.org> FUTURE=1", Command::Malformed),
            ("RCPT TO:<>", Command::Malformed),
            ("RCPT TO:ana@example.org", Command::Malformed),
            ("RCPT é", Command::Malformed),
            ("DATA now", Command::Malformed),
            ("quit", Command::Quit),
            ("STARTTLS", Command::Unknown),
            ("", Command::Unknown),
        ] {
            assert_eq!(Command::read(line), command, "{line}");
        }
    }
}
