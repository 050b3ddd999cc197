//! Bodies that are good enough to be read, before something in them is made bad.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::operation::{Operation, text};

/// How deep an example goes; below that, schemas may refer to themselves.
const DEEPEST: usize = 6;

/// A value that fits `schema`, as far as a schema can say.
pub(super) fn of(operation: &Operation, schema: &Value) -> Value {
    at_depth(operation, schema, 0)
}

fn at_depth(operation: &Operation, schema: &Value, depth: usize) -> Value {
    let schema = operation.resolved(schema);
    let given = schema
        .get("example")
        .or_else(|| schema.get("const"))
        .or_else(|| schema.get("enum")?.get(0));
    if let Some(value) = given {
        return value.clone();
    }
    for choice in ["oneOf", "anyOf"] {
        let parts = schema.get(choice).and_then(Value::as_array).into_iter().flatten();
        if let Some(part) = parts.into_iter().find(|part| text(part, "type") != Some("null")) {
            return at_depth(operation, part, depth + 1);
        }
    }
    let types = operation.types(schema);
    match types.iter().find(|name| **name != "null") {
        Some(&"string") => Value::from(string(schema)),
        Some(&"integer") => schema.get("minimum").cloned().unwrap_or(json!(1)),
        Some(&"number") => schema.get("minimum").cloned().unwrap_or(json!(1.5)),
        Some(&"boolean") => json!(true),
        Some(&"array") => array(operation, schema, depth),
        _ if depth < DEEPEST => object(operation, schema, depth),
        _ => Value::Null,
    }
}

fn string(schema: &Value) -> String {
    match text(schema, "format") {
        Some("email") => format!("{}@example.com", Uuid::now_v7().simple()),
        Some("uuid") => Uuid::now_v7().to_string(),
        Some("date") => "2000-02-29".to_owned(),
        Some("date-time") => "2035-01-01T00:00:00.000Z".to_owned(),
        Some("uri") => "https://example.com/".to_owned(),
        _ => {
            let least = schema.get("minLength").and_then(Value::as_u64).unwrap_or(1);
            // Long enough for most, and different every time.
            let text = format!("x{:08x}", rand::random::<u32>());
            let most = schema.get("maxLength").and_then(Value::as_u64).unwrap_or(1000);
            text.chars()
                .cycle()
                .take(usize::try_from(least.max(9).min(most)).unwrap_or(9))
                .collect()
        }
    }
}

fn array(operation: &Operation, schema: &Value, depth: usize) -> Value {
    let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or(0);
    let item = || at_depth(operation, schema.get("items").unwrap_or(&Value::Null), depth + 1);
    (0..least).map(|_| item()).collect()
}

fn object(operation: &Operation, schema: &Value, depth: usize) -> Value {
    let required = operation.required(schema);
    let fields = operation
        .fields(schema)
        .into_iter()
        .filter(|(name, _)| required.contains(name));
    let fields = fields.map(|(name, field)| (name.to_owned(), at_depth(operation, field, depth + 1)));
    Value::Object(fields.collect::<Map<_, _>>())
}
