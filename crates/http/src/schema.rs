//! JSON schemas of request types: what the documents show is what is enforced.

use std::any::TypeId;
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};

use jsonschema::Validator;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// The compiled schema of a type.
pub(crate) struct Compiled {
    pub(crate) validator: Validator,
    /// The JSON types that each property may have, for values that come as text.
    pub(crate) properties: HashMap<String, Vec<String>>,
}

static COMPILED: LazyLock<RwLock<HashMap<TypeId, Arc<Compiled>>>> = LazyLock::new(RwLock::default);

/// The compiled schema of `T`, made once per process.
pub(crate) fn of<T: ToSchema + 'static>() -> Result<Arc<Compiled>, String> {
    let id = TypeId::of::<T>();
    if let Some(found) = COMPILED.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
        return Ok(found.clone());
    }
    let compiled = Arc::new(compile::<T>()?);
    let mut all = COMPILED.write().unwrap_or_else(PoisonError::into_inner);
    all.insert(id, compiled.clone());
    Ok(compiled)
}

fn compile<T: ToSchema>() -> Result<Compiled, String> {
    let mut referenced = Vec::new();
    T::schemas(&mut referenced);
    let mut components = Map::new();
    for (name, schema) in referenced {
        components.insert(name, serde_json::to_value(schema).map_err(|e| e.to_string())?);
    }
    let mut root = serde_json::to_value(T::schema()).map_err(|e| e.to_string())?;
    let properties = properties_of(&root, &components);
    if let Some(object) = root.as_object_mut() {
        object.insert("components".to_owned(), json!({ "schemas": components }));
    }
    let validator = jsonschema::options()
        .should_validate_formats(true)
        .build(&root)
        .map_err(|error| format!("schema of {}: {error}", T::name()))?;
    Ok(Compiled {
        validator,
        properties,
    })
}

fn properties_of(root: &Value, components: &Map<String, Value>) -> HashMap<String, Vec<String>> {
    let Some(properties) = root.get("properties").and_then(Value::as_object) else {
        return HashMap::new();
    };
    properties
        .iter()
        .map(|(name, schema)| (name.clone(), types_of(schema, components)))
        .collect()
}

fn types_of(schema: &Value, components: &Map<String, Value>) -> Vec<String> {
    if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
        let name = reference.rsplit('/').next().unwrap_or_default();
        return components
            .get(name)
            .map_or_else(Vec::new, |s| types_of(s, components));
    }
    for key in ["oneOf", "anyOf", "allOf"] {
        if let Some(parts) = schema.get(key).and_then(Value::as_array) {
            return parts.iter().flat_map(|part| types_of(part, components)).collect();
        }
    }
    match schema.get("type") {
        Some(Value::String(name)) => vec![name.clone()],
        Some(Value::Array(names)) => names
            .iter()
            .filter_map(|name| name.as_str().map(ToOwned::to_owned))
            .collect(),
        _ => Vec::new(),
    }
}
