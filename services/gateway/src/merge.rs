//! One OpenAPI document from those of all services.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use parlour_chassis::VERSION;
use serde_json::{Map, Value, json};

use crate::shared::Shared;

/// The document as it was made last, and from how many changes.
#[derive(Default)]
pub(crate) struct Merged(Mutex<Option<(u64, Bytes)>>);

/// The merged document, encoded.
pub(crate) fn document(shared: &Shared) -> Bytes {
    let changes = shared.documents.changes();
    let mut last = shared.merged.0.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((at, bytes)) = &*last
        && *at == changes
    {
        return bytes.clone();
    }
    let here = shared.local().into_iter().flat_map(|local| &local.documents);
    let mut documents: Vec<(String, Value)> = here
        .filter_map(|(name, document)| Some(((*name).to_owned(), serde_json::from_str(document.get()).ok()?)))
        .collect();
    let there = shared.documents.all().into_iter();
    documents.extend(there.filter(|(name, _)| !shared.is_here(name)));
    let server = match shared.settings.public_url.as_str() {
        "" => "/",
        url => url,
    };
    let bytes = Bytes::from(merge(documents, server).to_string());
    *last = Some((changes, bytes.clone()));
    bytes
}

/// Puts documents together. Names are made unique by the service's own; a path that
/// two claim stays with the first.
fn merge(documents: Vec<(String, Value)>, server: &str) -> Value {
    let (mut paths, mut schemas, mut security) = (Map::new(), Map::new(), Map::new());
    let mut tags = Vec::new();
    for (service, mut document) in documents {
        tags.push(json!({ "name": service }));
        let renamed = rename(&service, &document, &schemas);
        point(&mut document, &renamed);
        let mut components = taken(&mut document, "components");
        for (name, schema) in taken_of(&mut components, "schemas") {
            let name = renamed.get(&name).cloned().unwrap_or(name);
            schemas.entry(name).or_insert(schema);
        }
        for (name, scheme) in taken_of(&mut components, "securitySchemes") {
            security.entry(name).or_insert(scheme);
        }
        for (path, mut item) in taken(&mut document, "paths") {
            name_operations(&service, &mut item);
            match (paths.get_mut(&path).and_then(Value::as_object_mut), item) {
                (Some(known), Value::Object(item)) => {
                    for (method, operation) in item {
                        known.entry(method).or_insert(operation);
                    }
                }
                (_, item) => {
                    paths.insert(path, item);
                }
            }
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Parlour",
            "version": VERSION,
            "description": "The backend of live-consultation platforms: every service behind the gateway.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": server }],
        "tags": tags,
        "paths": paths,
        "components": { "schemas": schemas, "securitySchemes": security },
    })
}

fn taken(document: &mut Value, key: &str) -> Map<String, Value> {
    match document.get_mut(key).map(Value::take) {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

fn taken_of(map: &mut Map<String, Value>, key: &str) -> Map<String, Value> {
    match map.remove(key) {
        Some(Value::Object(map)) => map,
        _ => Map::new(),
    }
}

/// New names for the schemas whose names another service uses for something else.
fn rename(service: &str, document: &Value, known: &Map<String, Value>) -> HashMap<String, String> {
    let own = document.pointer("/components/schemas").and_then(Value::as_object);
    let differs = |(name, schema): &(&String, &Value)| known.get(*name).is_some_and(|k| k != *schema);
    own.into_iter()
        .flatten()
        .filter(differs)
        .map(|(name, _)| (name.clone(), format!("{service}.{name}")))
        .collect()
}

/// Makes references follow the new names.
fn point(value: &mut Value, renamed: &HashMap<String, String>) {
    const SCHEMAS: &str = "#/components/schemas/";
    if renamed.is_empty() {
        return;
    }
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                let target = match value {
                    Value::String(text) if key == "$ref" => text.strip_prefix(SCHEMAS),
                    _ => None,
                };
                match target.and_then(|name| renamed.get(name)) {
                    Some(new) => *value = Value::String(format!("{SCHEMAS}{new}")),
                    None => point(value, renamed),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| point(item, renamed)),
        _ => {}
    }
}

fn name_operations(service: &str, item: &mut Value) {
    for operation in item.as_object_mut().into_iter().flat_map(Map::values_mut) {
        if let Some(Value::String(id)) = operation.get_mut("operationId") {
            *id = format!("{service}_{id}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(schema: &str) -> Value {
        json!({
            "paths": { format!("/{schema}"): { "get": {
                "operationId": "list",
                "responses": { "200": { "content": { "application/json": {
                    "schema": { "$ref": "#/components/schemas/Page" } } } } },
            } } },
            "components": { "schemas": { "Page": { "type": schema }, "Time": { "type": "string" } } },
        })
    }

    #[test]
    fn names_do_not_collide() {
        let documents = vec![("a".to_owned(), one("object")), ("b".to_owned(), one("array"))];
        let merged = merge(documents, "https://x.example");
        let reference = |path: &str| {
            let schema = "/get/responses/200/content/application~1json/schema/$ref";
            merged
                .pointer(&format!("/paths/~1{path}{schema}"))
                .unwrap()
                .as_str()
                .unwrap()
                .to_owned()
        };
        assert_eq!(reference("object"), "#/components/schemas/Page");
        assert_eq!(reference("array"), "#/components/schemas/b.Page");
        assert_eq!(merged["components"]["schemas"]["b.Page"]["type"], "array");
        assert_eq!(merged["components"]["schemas"].as_object().unwrap().len(), 3);
        assert_eq!(merged["paths"]["/object"]["get"]["operationId"], "a_list");
        assert_eq!(merged["paths"]["/array"]["get"]["operationId"], "b_list");
        assert_eq!(merged["servers"][0]["url"], "https://x.example");
    }
}
