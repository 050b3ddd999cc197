//! JSON values as YAML blocks. Keys that could be read as anything but text, and
//! all texts, are written in quotes, which YAML reads as JSON does.

use serde_json::Value;

pub(super) fn write(value: &Value) -> String {
    let mut out = String::new();
    block(&mut out, value, 0);
    out
}

fn block(out: &mut String, value: &Value, depth: usize) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                indent(out, depth);
                out.push_str(&self::key(key));
                out.push(':');
                nested(out, value, depth);
            }
        }
        Value::Array(items) => {
            for item in items {
                indent(out, depth);
                out.push('-');
                nested(out, item, depth);
            }
        }
        scalar => {
            out.push_str(&scalar.to_string());
            out.push('\n');
        }
    }
}

fn nested(out: &mut String, value: &Value, depth: usize) {
    let empty = match value {
        Value::Object(map) => map.is_empty(),
        Value::Array(items) => items.is_empty(),
        _ => true,
    };
    if empty {
        out.push(' ');
        out.push_str(&value.to_string());
        out.push('\n');
    } else {
        out.push('\n');
        block(out, value, depth + 1);
    }
}

fn indent(out: &mut String, depth: usize) {
    for _ in 0..depth {
        out.push_str("  ");
    }
}

fn key(key: &str) -> String {
    let words = ["true", "false", "null", "yes", "no", "on", "off", "y", "n"];
    let plain = key.starts_with(|c: char| c.is_ascii_alphabetic())
        && key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
        && !words.contains(&key.to_ascii_lowercase().as_str());
    if plain {
        key.to_owned()
    } else {
        Value::from(key).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn blocks_nest_and_texts_are_quoted() {
        let value = json!({"a": {"$ref": "#/x", "list": [1, {"b": "it: \"so\""}]}, "empty": {}, "no": []});
        let expected = "a:\n  \"$ref\": \"#/x\"\n  list:\n    - 1\n    -\n      b: \"it: \\\"so\\\"\"\nempty: {}\n\"no\": []\n";
        assert_eq!(write(&value), expected);
    }
}
