//! What the scanners say of a file.

use std::sync::Arc;

use parlour_files::kinds::Kind;
use parlour_files::scan::Verdict;
use parlour_files::scan::clamd::Answer;

use super::alarm;
use crate::error::Error;
use crate::state::Media;

/// What one scanner said.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) scanner: &'static str,
    pub(super) verdict: &'static str,
    pub(super) signatures: Vec<String>,
}

impl Said {
    pub(super) fn new(scanner: &'static str, verdict: &'static str, signatures: Vec<String>) -> Self {
        Self {
            scanner,
            verdict,
            signatures,
        }
    }
}

/// What all of them said together.
pub(super) enum Judgement {
    /// Every scanner that is configured found nothing.
    Clean,
    /// One found something, or could not look at all of it.
    Harmful,
    /// One did not answer.
    Unknown,
}

/// Asks every scanner.
pub(super) async fn examine(
    media: &Arc<Media>,
    kind: Kind,
    bytes: &Arc<Vec<u8>>,
) -> Result<(Judgement, Vec<Said>), Error> {
    let (rules, shared) = (media.tools.rules.clone(), bytes.clone());
    let found = media
        .tools
        .workshop
        .run(move || Ok(rules.scan(kind, &shared)))
        .await?;
    let mut said = vec![match found {
        Ok(Verdict::Clean) => Said::new("rules", "clean", Vec::new()),
        Ok(Verdict::Infected(names)) => Said::new("rules", "infected", names),
        Err(error) => Said::new("rules", "failed", vec![error.to_string()]),
    }];
    if let Some(clamd) = &media.tools.clamd {
        let (answer, why) = match clamd.scan(bytes.as_slice()).await {
            Answer::Clean => (Said::new("clamd", "clean", Vec::new()), None),
            Answer::Infected { signature } => (Said::new("clamd", "infected", vec![signature]), None),
            Answer::TooLarge => (Said::new("clamd", "too_large", Vec::new()), None),
            Answer::Unreachable { why } => (Said::new("clamd", "failed", Vec::new()), Some(why)),
        };
        alarm::note(media, "clamd", why.is_none(), why.as_deref().unwrap_or_default()).await;
        said.push(answer);
    }
    Ok((judge(&said), said))
}

/// One that found something settles it, whatever the others could not do.
fn judge(said: &[Said]) -> Judgement {
    let any = |verdict: &str| said.iter().any(|one| one.verdict == verdict);
    if any("infected") || any("too_large") {
        Judgement::Harmful
    } else if any("failed") {
        Judgement::Unknown
    } else {
        Judgement::Clean
    }
}
