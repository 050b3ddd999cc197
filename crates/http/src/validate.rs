//! From a JSON value to a checked request: every wrong field is named.

use jsonschema::ValidationError;
use jsonschema::error::{TypeKind, ValidationErrorKind};
use serde::de::DeserializeOwned;
use serde_json::Value;
use utoipa::ToSchema;

use crate::{ApiError, schema};

/// The most problems that are listed.
const MOST: usize = 50;

/// What is wrong with a request, "field: what is wrong" each.
#[derive(Debug, Default)]
pub struct Problems(Vec<String>);

impl Problems {
    /// Adds one.
    pub fn add(&mut self, field: &str, problem: &str) {
        let line = format!("{field}: {problem}");
        if self.0.len() < MOST && !self.0.contains(&line) {
            self.0.push(line);
        }
    }

    /// Adds one unless `fine`.
    pub fn require(&mut self, fine: bool, field: &str, problem: &str) {
        if !fine {
            self.add(field, problem);
        }
    }

    /// Ends with a `VALIDATION_ERROR` if there is any.
    pub fn end(self) -> Result<(), ApiError> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(ApiError::validation(self.0))
        }
    }
}

/// What a schema cannot say about a request.
pub trait Check {
    /// Adds what is wrong.
    fn check(&self, _problems: &mut Problems) {}
}

/// Checks `value` against the schema of `T`, reads it, and lets it check itself.
pub(crate) fn read<T>(value: Value) -> Result<T, ApiError>
where
    T: DeserializeOwned + ToSchema + Check + 'static,
{
    let compiled = schema::of::<T>().map_err(ApiError::internal)?;
    let mut problems = Problems::default();
    for error in compiled.validator.iter_errors(&value) {
        explain(&error, &mut problems);
    }
    null_characters(&value, "", &mut problems);
    problems.end()?;
    let read: T = serde_path_to_error::deserialize(value).map_err(|error| {
        let field = error.path().to_string();
        let field = if field == "." { "body" } else { field.as_str() };
        ApiError::field(field, &plain(error.inner()))
    })?;
    let mut problems = Problems::default();
    read.check(&mut problems);
    problems.end()?;
    Ok(read)
}

/// serde's message without the position, which means nothing once the text was parsed.
fn plain(error: &serde_json::Error) -> String {
    let text = error.to_string();
    text.split(" at line ").next().unwrap_or_default().to_owned()
}

/// PostgreSQL's text cannot hold U+0000, and nobody types it.
fn null_characters(value: &Value, path: &str, problems: &mut Problems) {
    match value {
        Value::String(text) if text.contains('\0') => {
            problems.add(field_name(path), "must not contain a null character");
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                null_characters(item, &format!("{path}[{index}]"), problems);
            }
        }
        Value::Object(fields) => {
            for (name, item) in fields {
                let dot = if path.is_empty() { "" } else { "." };
                null_characters(item, &format!("{path}{dot}{name}"), problems);
            }
        }
        _ => {}
    }
}

fn field_name(path: &str) -> &str {
    if path.is_empty() { "body" } else { path }
}

/// `/a/0/b` is `a[0].b`.
fn dotted(pointer: &str) -> String {
    let mut path = String::new();
    for part in pointer.split('/').skip(1) {
        let part = part.replace("~1", "/").replace("~0", "~");
        if part.bytes().all(|b| b.is_ascii_digit()) && !part.is_empty() {
            path.push('[');
            path.push_str(&part);
            path.push(']');
        } else {
            if !path.is_empty() {
                path.push('.');
            }
            path.push_str(&part);
        }
    }
    path
}

fn explain(error: &ValidationError<'_>, problems: &mut Problems) {
    let path = dotted(error.instance_path().as_str());
    let problem = match error.kind() {
        ValidationErrorKind::OneOfNotValid { context } | ValidationErrorKind::AnyOf { context }
            if let Some(meant) = meant(error, context) =>
        {
            for inner in meant {
                explain(inner, problems);
            }
            return;
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            let dot = if path.is_empty() { "" } else { "." };
            problems.add(&format!("{path}{dot}{name}"), "is required");
            return;
        }
        ValidationErrorKind::Type { kind } => format!("must be {}", types(kind)),
        ValidationErrorKind::MinLength { limit } => format!("must have at least {limit} characters"),
        ValidationErrorKind::MaxLength { limit } => format!("must have at most {limit} characters"),
        ValidationErrorKind::Minimum { limit } => format!("must be at least {limit}"),
        ValidationErrorKind::Maximum { limit } => format!("must be at most {limit}"),
        ValidationErrorKind::MinItems { limit } => format!("must have at least {limit} items"),
        ValidationErrorKind::MaxItems { limit } => format!("must have at most {limit} items"),
        ValidationErrorKind::UniqueItems => "must not repeat an item".to_owned(),
        ValidationErrorKind::Enum { options } => format!("must be one of {options}"),
        ValidationErrorKind::Format { format } => format!("must be a valid {format}"),
        ValidationErrorKind::Pattern { .. } => "does not have the right form".to_owned(),
        _ => "is not valid".to_owned(),
    };
    problems.add(field_name(&path), &problem);
}

/// What is wrong by the one alternative whose type fits: of an optional object, the object's.
fn meant<'e>(
    error: &ValidationError<'_>,
    alternatives: &'e [Vec<ValidationError<'static>>],
) -> Option<&'e [ValidationError<'static>]> {
    let of_another_type = |inner: &ValidationError<'static>| {
        matches!(inner.kind(), ValidationErrorKind::Type { .. })
            && inner.instance_path() == error.instance_path()
    };
    let mut fitting = alternatives
        .iter()
        .filter(|errors| !errors.iter().any(of_another_type));
    let one = fitting.next()?;
    (fitting.next().is_none() && !one.is_empty()).then_some(one.as_slice())
}

fn types(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => one.to_string(),
        TypeKind::Multiple(set) => {
            let names: Vec<String> = set.iter().map(|one| one.to_string()).collect();
            names.join(" or ")
        }
    }
}
