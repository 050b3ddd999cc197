//! What files are scanned and pictures are worked on with.

use std::sync::Arc;
use std::time::Duration;

use parlour_files::picture::{Limits, Refusal, Workshop};
use parlour_files::scan::clamd::Clamd;
use parlour_files::scan::rules::Scanner;
use parlour_http::ApiError;

use crate::error::Error;
use crate::settings::Settings;

/// Scanners, and the slots for heavy work. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Tools {
    /// The rules that always run.
    pub rules: Arc<Scanner>,
    /// The clamd, where there is one.
    pub clamd: Option<Clamd>,
    /// Where pictures are worked on.
    pub workshop: Workshop,
    /// What pictures may be.
    pub limits: Limits,
}

impl Tools {
    /// As the settings say.
    pub fn new(settings: &Settings) -> anyhow::Result<Self> {
        let (scan, pictures) = (&settings.scan, &settings.pictures);
        let seconds = |value: u16| Duration::from_secs(value.into());
        let clamd = match scan.clamd.as_str() {
            "" => None,
            address => Some(Clamd::new(
                address.parse()?,
                seconds(scan.clamd_seconds),
                scan.most_bytes,
            )),
        };
        Ok(Self {
            rules: Arc::new(Scanner::new(seconds(scan.rules_seconds))?),
            clamd,
            workshop: Workshop::new(
                pictures.slots.into(),
                pictures.queue.into(),
                seconds(pictures.seconds),
            ),
            limits: Limits {
                pixels: u64::from(pictures.megapixels) * 1_000_000,
                frames: pictures.frames,
            },
        })
    }
}

/// How a picture that is not made is answered.
impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Busy | Refusal::Overdue => ApiError::unavailable().into(),
            Refusal::NotPossible { width, height } => Self::field(
                "size",
                &format!("is not possible: the picture has {width} × {height} pixels"),
            ),
            refusal => Self::Type(refusal.to_string()),
        }
    }
}
