//! What outside providers post to us: HTML forms, whose signatures cover every field.

use actix_web::http::StatusCode;

use crate::input::read_body;
use crate::{ApiError, Call, Extract, code};

/// The most fields a form may have.
const MAX_FIELDS: usize = 200;

/// The fields of a body of the type `application/x-www-form-urlencoded`, in their order.
pub struct Form(pub Vec<(String, String)>);

impl Extract for Form {
    async fn extract(call: &mut Call) -> Result<Self, ApiError> {
        let kind = call.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(ApiError::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                code::UNSUPPORTED_MEDIA_TYPE,
                "Send a form with the content type application/x-www-form-urlencoded.",
            ));
        }
        let body = read_body(call).await?;
        let fields: Vec<_> = url::form_urlencoded::parse(&body)
            .take(MAX_FIELDS + 1)
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        if fields.len() > MAX_FIELDS {
            return Err(ApiError::field("body", "has too many fields"));
        }
        Ok(Self(fields))
    }
}

/// The query string as it was sent, for signatures that cover it.
pub struct RawQuery(pub String);

impl Extract for RawQuery {
    async fn extract(call: &mut Call) -> Result<Self, ApiError> {
        Ok(Self(call.request.query_string().to_owned()))
    }
}
