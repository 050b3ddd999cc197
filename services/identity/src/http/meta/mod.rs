//! `/api/meta/countries`, `/api/meta/zodiacs`

use std::sync::LazyLock;

use actix_web::http::StatusCode;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use parlour_http::{ApiError, Header, Public, RateClass, Reply, Routes, Success};
use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{country, zodiac};

/// Routes below `/api/meta`.
pub fn routes() -> Routes {
    Routes::of(crate::NAME)
        .add::<__path_countries, _, _, _>(RateClass::General, countries)
        .add::<__path_zodiacs, _, _, _>(RateClass::General, zodiacs)
}

/// A country of ISO 3166-1.
#[derive(Debug, Serialize, ToSchema)]
pub struct CountryView {
    /// Alpha-2.
    pub code: &'static str,
    /// Alpha-3.
    pub code3: &'static str,
    /// English name.
    pub name: &'static str,
    /// Arabic name.
    pub name_ar: &'static str,
    /// With the plus sign.
    pub dial_code: String,
}

/// `{countries}`
#[derive(Debug, Serialize, ToSchema)]
pub struct Countries {
    /// By English name.
    pub countries: Vec<CountryView>,
}

/// A sign of the zodiac.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignView {
    /// Key, such as `aries`.
    pub key: &'static str,
    /// English name.
    pub name: &'static str,
    /// Arabic name.
    pub name_ar: &'static str,
    /// First day, `MM-DD`.
    pub from: String,
    /// Last day, `MM-DD`.
    pub to: String,
}

/// `{zodiacs}`
#[derive(Debug, Serialize, ToSchema)]
pub struct Zodiacs {
    /// From Aries on.
    pub zodiacs: Vec<SignView>,
}

/// An answer that never changes while the process runs.
struct Fixed {
    body: Vec<u8>,
    etag: String,
}

impl Fixed {
    fn new<T: Serialize>(data: T) -> Option<Self> {
        let body = Reply::ok(data).ok()?.body;
        let hash = digest(&SHA256, &body);
        let short = hash.as_ref().get(..12)?;
        Some(Self {
            etag: format!("\"{}\"", URL_SAFE_NO_PAD.encode(short)),
            body,
        })
    }
}

static COUNTRIES: LazyLock<Option<Fixed>> = LazyLock::new(|| {
    let mut countries: Vec<CountryView> = country::all()
        .iter()
        .map(|c| CountryView {
            code: c.alpha2,
            code3: c.alpha3,
            name: c.name,
            name_ar: c.name_ar,
            dial_code: format!("+{}", c.dial_code),
        })
        .collect();
    countries.sort_by_key(|c| c.name);
    Fixed::new(Countries { countries })
});

static ZODIACS: LazyLock<Option<Fixed>> = LazyLock::new(|| {
    let day = |(month, day): (u32, u32)| format!("{month:02}-{day:02}");
    let zodiacs = zodiac::SIGNS.iter().map(|sign| SignView {
        key: sign.key,
        name: sign.name,
        name_ar: sign.name_ar,
        from: day(sign.from),
        to: day(sign.to),
    });
    Fixed::new(Zodiacs {
        zodiacs: zodiacs.collect(),
    })
});

/// Countries with ISO code, dial code, English and Arabic name
#[utoipa::path(
    get, path = "/api/meta/countries", tag = "meta",
    responses((status = 200, description = "All countries of ISO 3166-1.", body = Success<Countries>))
)]
pub async fn countries(_: Public, known: Header<IfNoneMatch>) -> Result<Reply, ApiError> {
    fixed(COUNTRIES.as_ref(), known.as_deref())
}

/// The twelve signs of the zodiac with their dates
#[utoipa::path(
    get, path = "/api/meta/zodiacs", tag = "meta",
    responses((status = 200, description = "From Aries on.", body = Success<Zodiacs>))
)]
pub async fn zodiacs(_: Public, known: Header<IfNoneMatch>) -> Result<Reply, ApiError> {
    fixed(ZODIACS.as_ref(), known.as_deref())
}

/// The name of the header that a cache sends.
pub struct IfNoneMatch;

impl parlour_http::HeaderNamed for IfNoneMatch {
    const NAME: &'static str = "if-none-match";
}

fn fixed(fixed: Option<&Fixed>, known: Option<&str>) -> Result<Reply, ApiError> {
    let fixed = fixed.ok_or_else(|| ApiError::internal("reference data cannot be encoded"))?;
    let fresh = known.is_some_and(|tags| {
        tags.split(',')
            .any(|tag| matches!(tag.trim().trim_start_matches("W/"), t if t == fixed.etag || t == "*"))
    });
    let reply = Reply {
        status: if fresh {
            StatusCode::NOT_MODIFIED
        } else {
            StatusCode::OK
        },
        body: if fresh { Vec::new() } else { fixed.body.clone() },
        cookies: Vec::new(),
        headers: Vec::new(),
    };
    Ok(reply
        .with_header("etag", fixed.etag.clone())
        .with_header("cache-control", "public, max-age=86400"))
}
