//! What a handler answers.

use actix_web::HttpResponse;
use actix_web::cookie::Cookie;
use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{ApiError, Time};

/// The envelope of Samia and Aura around an answer that succeeded.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub struct Success<T> {
    /// Always true.
    pub success: bool,
    /// The answer.
    pub data: T,
    /// A sentence, where it says something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// The envelope around an error.
#[derive(Debug, Serialize, ToSchema)]
pub struct Failure {
    /// Always false. SafeTalk's paths leave it out.
    pub success: Option<bool>,
    /// One sentence.
    pub error: String,
    /// A stable code.
    pub code: String,
    /// Particulars, such as every wrong field as "field: what is wrong".
    pub details: Option<Vec<String>>,
    /// When.
    pub timestamp: Time,
    /// The request's id, also in the header `X-Request-Id`.
    pub request_id: Option<String>,
}

/// A finished answer: status, JSON, cookies, headers.
#[derive(Clone, Debug)]
pub struct Reply {
    /// HTTP status.
    pub status: StatusCode,
    /// The encoded body; empty for none.
    pub body: Vec<u8>,
    /// Cookies to set.
    pub cookies: Vec<Cookie<'static>>,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
}

impl Reply {
    /// 200 in the envelope of Samia and Aura.
    pub fn ok<T: Serialize>(data: T) -> Result<Self, ApiError> {
        Self::enveloped(StatusCode::OK, data, None)
    }

    /// 200 with a sentence.
    pub fn said<T: Serialize>(data: T, message: &str) -> Result<Self, ApiError> {
        Self::enveloped(StatusCode::OK, data, Some(message))
    }

    /// 201 in the envelope of Samia and Aura.
    pub fn created<T: Serialize>(data: T) -> Result<Self, ApiError> {
        Self::enveloped(StatusCode::CREATED, data, None)
    }

    /// An envelope with any status.
    pub fn enveloped<T: Serialize>(
        status: StatusCode,
        data: T,
        message: Option<&str>,
    ) -> Result<Self, ApiError> {
        let envelope = Success {
            success: true,
            data,
            message: message.map(ToOwned::to_owned),
        };
        Self::bare(status, &envelope)
    }

    /// The object itself, as SafeTalk's documentation shows it.
    pub fn bare<T: Serialize>(status: StatusCode, object: &T) -> Result<Self, ApiError> {
        Ok(Self {
            status,
            body: serde_json::to_vec(object).map_err(ApiError::internal)?,
            cookies: Vec::new(),
            headers: Vec::new(),
        })
    }

    /// Adds a cookie.
    #[must_use]
    pub fn with_cookie(mut self, cookie: Cookie<'static>) -> Self {
        self.cookies.push(cookie);
        self
    }

    /// Adds a header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// What a handler may return when it succeeds.
pub trait IntoResponse {
    /// The HTTP answer.
    fn into_response(self) -> HttpResponse;
}

impl IntoResponse for Reply {
    fn into_response(self) -> HttpResponse {
        let mut builder = HttpResponse::build(self.status);
        for cookie in self.cookies {
            builder.cookie(cookie);
        }
        for (name, value) in self.headers {
            builder.insert_header((name, value));
        }
        if self.body.is_empty() {
            return builder.finish();
        }
        builder
            .insert_header((CONTENT_TYPE, "application/json"))
            .body(self.body)
    }
}

impl IntoResponse for HttpResponse {
    fn into_response(self) -> HttpResponse {
        self
    }
}
