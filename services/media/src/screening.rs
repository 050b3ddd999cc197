//! What is looked at before a file is accepted: pictures have to decode, and small files
//! are scanned already. Everything is scanned again, whatever its size, while it is pending.

use parlour_files::kinds::Group;
use parlour_files::picture::{self, Facts, Refusal};
use parlour_files::scan::Verdict;

use crate::error::Error;
use crate::receiving::Received;
use crate::state::Media;

impl Media {
    /// The received file, if it is accepted, with what is known of it then.
    pub async fn screened(&self, mut received: Received) -> Result<Received, Error> {
        let facts = self.screen(&received).await?;
        let pixels = |side: u32| i32::try_from(side).unwrap_or(i32::MAX);
        received.dimensions = facts.map(|facts| (pixels(facts.width), pixels(facts.height)));
        Ok(received)
    }

    /// Looks at a received file. Answers what it found out about a picture.
    async fn screen(&self, received: &Received) -> Result<Option<Facts>, Error> {
        let is_image = received.kind.group() == Group::Image;
        let is_small = received.size <= self.settings.scan.upload_bytes;
        if !is_image && !is_small {
            return Ok(None);
        }
        let _slot = self.screens.acquire().await;
        let id = received.object.id();
        let bytes = self.read_whole(id, &received.key, received.size).await?;
        let (scanner, kind) = (self.tools.rules.clone(), received.kind);
        let limits = self.tools.limits;
        let work = move || {
            // A scan that does not come to its end is the job's to repeat.
            let infected = is_small && matches!(scanner.scan(kind, &bytes), Ok(Verdict::Infected(_)));
            if infected {
                return Ok((true, None));
            }
            let facts = if is_image {
                Some(picture::inspect(&bytes, limits)?)
            } else {
                None
            };
            Ok((false, facts))
        };
        match self.tools.workshop.run(work).await {
            Ok((true, _)) => Err(Error::Infected),
            Ok((false, facts)) => Ok(facts),
            Err(refusal) => Err(refused(&refusal)),
        }
    }
}

/// What a refused picture is answered with.
fn refused(refusal: &Refusal) -> Error {
    match refusal {
        Refusal::Busy => parlour_http::ApiError::unavailable().into(),
        refusal => Error::Type(refusal.to_string()),
    }
}
