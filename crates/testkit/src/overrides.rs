//! Configuration values over the defaults, as one more layer of TOML.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;
use serde_json::{Value, json};

/// Values by dotted key; the later of two with one key wins.
#[derive(Clone, Default)]
pub(crate) struct Overrides(BTreeMap<String, Value>);

impl Overrides {
    /// Sets `key`, or with an object everything below it.
    pub(crate) fn set(&mut self, key: &str, value: impl Serialize) {
        let value = serde_json::to_value(value).expect("a configuration value can be written as JSON");
        match value {
            Value::Object(fields) => {
                for (name, field) in fields {
                    self.set(&format!("{key}.{name}"), field);
                }
            }
            Value::Null => {
                self.0.remove(key);
            }
            value => {
                self.0.insert(key.to_owned(), value);
            }
        }
    }

    /// Puts the values of `over` over these.
    pub(crate) fn merge(&mut self, over: &Self) {
        self.0.extend(over.0.clone());
    }

    /// As TOML.
    pub(crate) fn to_toml(&self) -> String {
        let lines = self
            .0
            .iter()
            .map(|(key, value)| format!("{key} = {}", inline(value)));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// What every test process has in common: quick, quiet, alone, with secrets of
    /// its own and limits that are not in the way.
    pub(crate) fn for_tests() -> Self {
        let mut values = Self::default();
        let any_port = "127.0.0.1:0";
        values.set("http", json!({ "listen": any_port, "internal_listen": any_port }));
        values.set(
            "http",
            json!({ "workers": 1, "drain_seconds": 0, "grace_seconds": 1 }),
        );
        values.set("database.pool_size", 4);
        values.set("consumer", json!({ "workers": 2, "retry_ms": [20, 40, 80, 160] }));
        values.set("internal.key", key());
        for part in ["vault", "contacts"] {
            values.set(
                part,
                json!({ "active": "test", "keys": { "test": key() }, "index_key": key() }),
            );
        }
        for class in parlour_http::RateClass::ALL {
            if class != parlour_http::RateClass::None {
                let plenty = json!({ "requests": 1_000_000, "seconds": 1, "burst": 1_000_000 });
                values.set(&format!("limits.{}", class.name()), plenty);
            }
        }
        values
    }
}

/// A value in one line. Numbers, booleans and texts are written as in JSON.
fn inline(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, field)| format!("{name} = {}", inline(field)))
                .collect();
            format!("{{ {} }}", fields.join(", "))
        }
        plain => plain.to_string(),
    }
}

fn key() -> String {
    STANDARD.encode(rand::random::<[u8; 32]>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_toml() {
        let mut values = Overrides::default();
        values.set("a.b", "say \"salâm\"\n");
        values.set("a.list", [1, 2]);
        values.set("a.nested", json!({ "deep": { "yes": true }, "gone": 1 }));
        values.set("a.nested.gone", Value::Null);
        let expected = "a.b = \"say \\\"salâm\\\"\\n\"\na.list = [1, 2]\na.nested.deep.yes = true";
        assert_eq!(values.to_toml(), expected);
    }
}
