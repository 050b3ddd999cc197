//! Bodies, queries and path parameters, read and checked.

use std::time::Duration;

use actix_web::http::StatusCode;
use aws_lc_rs::digest::{SHA256, digest};
use futures_util::StreamExt as _;
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::validate::{self, Check};
use crate::{ApiError, Call, Extract, code, schema};

/// The largest JSON body, in bytes.
const MAX_JSON: usize = 1024 * 1024;
/// How long a body may take to arrive.
const BODY_TIME: Duration = Duration::from_secs(30);
/// The most parameters a query may have.
const MAX_QUERY_PARAMETERS: usize = 100;

/// A JSON body that fits the schema of `T` and passed its [`Check`].
pub struct Json<T>(pub T);

impl<T> Extract for Json<T>
where
    T: DeserializeOwned + ToSchema + Check + 'static,
{
    async fn extract(call: &mut Call) -> Result<Self, ApiError> {
        let kind = call.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !(kind.eq_ignore_ascii_case("application/json") || kind.ends_with("+json")) {
            return Err(ApiError::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                code::UNSUPPORTED_MEDIA_TYPE,
                "Send JSON with the content type application/json.",
            ));
        }
        let body = read_body(call).await?;
        let value: Value = serde_json::from_slice(&body)
            .map_err(|error| ApiError::field("body", &format!("is not valid JSON: {error}")))?;
        validate::read(value).map(Json)
    }
}

/// A JSON body, or the default of `T` for a request without one: no content type and
/// nothing behind the headers.
pub struct JsonOrDefault<T>(pub T);

impl<T> Extract for JsonOrDefault<T>
where
    T: DeserializeOwned + ToSchema + Check + Default + 'static,
{
    const OPTIONAL_BODY: bool = true;

    async fn extract(call: &mut Call) -> Result<Self, ApiError> {
        let sent = call.header("content-length").is_some_and(|length| length != "0");
        let sent = sent || call.header("transfer-encoding").is_some();
        if !sent && call.header("content-type").is_none() {
            return Ok(Self(T::default()));
        }
        Json::extract(call).await.map(|Json(body)| Self(body))
    }
}

/// The whole body, up to 1 MiB. Its digest is what an idempotency key covers.
pub(crate) async fn read_body(call: &mut Call) -> Result<Vec<u8>, ApiError> {
    let too_large = || {
        ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            code::PAYLOAD_TOO_LARGE,
            "The body is larger than 1 MiB.",
        )
    };
    let announced = call
        .header("content-length")
        .and_then(|v| v.parse::<usize>().ok());
    if announced.is_some_and(|length| length > MAX_JSON) {
        return Err(too_large());
    }
    let mut body = Vec::with_capacity(announced.unwrap_or_default());
    let reading = async {
        while let Some(chunk) = call.payload.next().await {
            let chunk = chunk.map_err(|_| ApiError::field("body", "did not arrive whole"))?;
            if body.len() + chunk.len() > MAX_JSON {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        Ok(())
    };
    tokio::time::timeout(BODY_TIME, reading).await.map_err(|_| {
        ApiError::new(
            StatusCode::REQUEST_TIMEOUT,
            code::REQUEST_TIMEOUT,
            "The body did not arrive in time.",
        )
    })??;
    call.body_hash.copy_from_slice(digest(&SHA256, &body).as_ref());
    Ok(body)
}

/// A query string that fits the schema of `T` and passed its [`Check`].
pub struct Query<T>(pub T);

impl<T> Extract for Query<T>
where
    T: DeserializeOwned + ToSchema + Check + 'static,
{
    async fn extract(call: &mut Call) -> Result<Self, ApiError> {
        let compiled = schema::of::<T>().map_err(ApiError::internal)?;
        let mut fields = Map::new();
        let text = call.request.query_string();
        for pair in text
            .split('&')
            .filter(|p| !p.is_empty())
            .take(MAX_QUERY_PARAMETERS)
        {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (name, value) = (decoded(name)?, decoded(value)?);
            let Some(types) = compiled.properties.get(&name) else {
                continue;
            };
            // An empty filter is what a form sends for "any".
            if !value.is_empty() {
                fields.insert(name, typed(value, types));
            }
        }
        validate::read(Value::Object(fields)).map(Query)
    }
}

fn decoded(text: &str) -> Result<String, ApiError> {
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8();
    decoded
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| ApiError::field("query", "is not valid UTF-8"))
}

/// Reads text as the JSON type that the schema wants; what does not fit stays
/// text, and the schema says what is wrong with it.
fn typed(value: String, types: &[String]) -> Value {
    let wants = |name: &str| types.iter().any(|t| t == name);
    if wants("integer")
        && let Ok(number) = value.parse::<i64>()
    {
        return Value::from(number);
    }
    if wants("number")
        && let Ok(number) = value.parse::<f64>()
    {
        return Value::from(number);
    }
    if wants("boolean") && (value == "true" || value == "false") {
        return Value::from(value == "true");
    }
    Value::from(value)
}

/// The `{id}` of the path.
pub struct PathId(pub Uuid);

impl Extract for PathId {
    async fn extract(call: &mut Call) -> Result<Self, ApiError> {
        let text = call
            .params
            .iter()
            .find(|(name, _)| name == "id")
            .map(|(_, v)| v.as_str());
        Uuid::try_parse(text.unwrap_or_default())
            .map(PathId)
            .map_err(|_| ApiError::field("id", "must be a UUID"))
    }
}

/// The name of a variable part of a path, as a type for [`InPath`].
pub trait PathNamed {
    /// As the path's template has it.
    const NAME: &'static str;
}

/// A variable part of the path that is not its `{id}`.
pub struct InPath<N: PathNamed>(pub String, std::marker::PhantomData<N>);

impl<N: PathNamed> Extract for InPath<N> {
    async fn extract(call: &mut Call) -> Result<Self, ApiError> {
        let found = call.params.iter().find(|(name, _)| name == N::NAME);
        let (_, value) = found.ok_or_else(ApiError::not_found)?;
        Ok(Self(value.clone(), std::marker::PhantomData))
    }
}

impl<N: PathNamed> InPath<N> {
    /// As an id.
    pub fn id(&self) -> Result<Uuid, ApiError> {
        Uuid::try_parse(&self.0).map_err(|_| ApiError::field(N::NAME, "must be a UUID"))
    }
}

/// The bearer token itself, for routes that check it in their own way.
pub struct Bearer(pub String);

impl Extract for Bearer {
    async fn extract(call: &mut Call) -> Result<Self, ApiError> {
        crate::caller::bearer(&call.request)?
            .map(|token| Bearer(token.to_owned()))
            .ok_or_else(ApiError::unauthenticated)
    }
}

/// The name of a request header, as a type for [`Header`].
pub trait HeaderNamed {
    /// In lower case.
    const NAME: &'static str;
}

/// One request header, if it was sent and is text.
pub struct Header<N: HeaderNamed>(pub Option<String>, std::marker::PhantomData<N>);

impl<N: HeaderNamed> Extract for Header<N> {
    async fn extract(call: &mut Call) -> Result<Self, ApiError> {
        let value = call.header(N::NAME).map(ToOwned::to_owned);
        Ok(Self(value, std::marker::PhantomData))
    }
}

impl<N: HeaderNamed> Header<N> {
    /// The header's value.
    pub fn as_deref(&self) -> Option<&str> {
        self.0.as_deref()
    }
}
