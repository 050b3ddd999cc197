//! What a route takes, as its OpenAPI operation says.

use parlour_chassis::Service;
use parlour_http::Route;
use serde_json::Value;

/// A route's parameters and body.
pub(super) struct Operation {
    /// The path with its variable parts.
    pub(super) template: String,
    /// The names of the query's parameters.
    pub(super) query: Vec<String>,
    /// The schema of a JSON body, if the route takes one.
    pub(super) body: Option<Value>,
    /// The whole document, for references.
    pub(super) document: Value,
}

impl Operation {
    pub(super) fn of(service: &Service, route: &Route) -> Self {
        let document = parlour_http::document(service.name, "0", &(service.routes)());
        let document = serde_json::to_value(document).expect("a document is JSON");
        let method = route.method.as_str().to_lowercase();
        let operation = document
            .get("paths")
            .and_then(|paths| paths.get(&route.path)?.get(&method));
        let parameters = operation
            .and_then(|o| o.get("parameters"))
            .and_then(Value::as_array);
        let query = parameters
            .into_iter()
            .flatten()
            .filter(|p| text(p, "in") == Some("query"));
        let query = query
            .filter_map(|p| text(p, "name").map(ToOwned::to_owned))
            .collect();
        let body = operation.and_then(|o| o.pointer("/requestBody/content/application~1json/schema"));
        Self {
            template: route.path.clone(),
            query,
            body: body.cloned(),
            document,
        }
    }

    /// Follows references until there is a schema.
    pub(super) fn resolved<'s>(&'s self, schema: &'s Value) -> &'s Value {
        let mut schema = schema;
        while let Some(target) =
            text(schema, "$ref").and_then(|r| self.document.pointer(r.trim_start_matches('#')))
        {
            schema = target;
        }
        schema
    }

    /// The fields of an object's schema, those of its parts included.
    pub(super) fn fields<'s>(&'s self, schema: &'s Value) -> Vec<(&'s str, &'s Value)> {
        let schema = self.resolved(schema);
        let parts = schema
            .get("allOf")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let mut fields: Vec<(&str, &Value)> = parts.flat_map(|part| self.fields(part)).collect();
        let own = schema
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten();
        fields.extend(own.map(|(name, field)| (name.as_str(), field)));
        fields
    }

    /// The names of the fields that must be there.
    pub(super) fn required<'s>(&'s self, schema: &'s Value) -> Vec<&'s str> {
        let schema = self.resolved(schema);
        let parts = schema
            .get("allOf")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        let mut names: Vec<&str> = parts.flat_map(|part| self.required(part)).collect();
        let own = schema
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        names.extend(own.filter_map(Value::as_str));
        names
    }

    /// The JSON types that a schema allows.
    pub(super) fn types<'s>(&'s self, schema: &'s Value) -> Vec<&'s str> {
        let schema = self.resolved(schema);
        for choice in ["oneOf", "anyOf", "allOf"] {
            if let Some(parts) = schema.get(choice).and_then(Value::as_array) {
                return parts.iter().flat_map(|part| self.types(part)).collect();
            }
        }
        match schema.get("type") {
            Some(Value::String(name)) => vec![name],
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }
}

pub(super) fn text<'v>(value: &'v Value, field: &str) -> Option<&'v str> {
    value.get(field)?.as_str()
}
