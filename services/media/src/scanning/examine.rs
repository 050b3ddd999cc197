//! What the scanners say of a file.

use std::sync::Arc;

use futures_util::TryStreamExt as _;
use parlour_files::kinds::Kind;
use parlour_files::scan::Verdict;
use parlour_files::scan::clamd::Answer;
use parlour_files::scan::rules::{Failed, Scanner};
use tokio::runtime::Handle;
use tokio_util::io::StreamReader;

use super::alarm;
use crate::error::Error;
use crate::state::Media;
use crate::storage::{Plain, StorageError};
use crate::whole::Object;

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

/// Asks every scanner. None of them needs the file as a whole.
pub(super) async fn examine(
    media: &Arc<Media>,
    kind: Kind,
    object: &Object,
) -> Result<(Judgement, Vec<Said>), Error> {
    let (rules, plain, runtime) = (
        media.tools.rules.clone(),
        media.read(object).await?,
        Handle::current(),
    );
    let found = media
        .tools
        .workshop
        .run(move || Ok(by_rules(&rules, kind, plain, &runtime)))
        .await?;
    let mut said = vec![match found? {
        Ok(Verdict::Clean) => Said::new("rules", "clean", Vec::new()),
        Ok(Verdict::Infected(names)) => Said::new("rules", "infected", names),
        Err(error) => Said::new("rules", "failed", vec![error.to_string()]),
    }];
    if let Some(clamd) = &media.tools.clamd {
        let plain = media.read(object).await?.into_stream();
        let reader = StreamReader::new(plain.map_err(std::io::Error::other));
        // A file that cannot be read is not the scanner's fault.
        let answer = clamd.scan(reader).await.map_err(StorageError::from)?;
        let (answer, why) = match answer {
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

/// Takes the file through the rules as it comes out of the store. Blocks.
fn by_rules(
    rules: &Scanner,
    kind: Kind,
    mut plain: Plain,
    runtime: &Handle,
) -> Result<Result<Verdict, Failed>, StorageError> {
    let mut scan = rules.begin(kind);
    while let Some(piece) = runtime.block_on(plain.next())? {
        if let Err(failed) = scan.feed(&piece) {
            return Ok(Err(failed));
        }
    }
    Ok(scan.finish())
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
