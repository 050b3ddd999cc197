//! Route templates.

/// The names of the variable parts of `template`, such as `id` of `/api/things/{id}`.
pub(crate) fn parameters(template: &str) -> Vec<&str> {
    template
        .split('{')
        .skip(1)
        .filter_map(|rest| rest.split('}').next())
        .collect()
}

/// `template` with `value`, encoded, in the place of every variable part.
pub(crate) fn filled(template: &str, value: &str) -> String {
    let mut path = template.to_owned();
    for name in parameters(template) {
        path = path.replace(&format!("{{{name}}}"), value);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variable_parts_are_filled() {
        assert_eq!(parameters("/a/{id}/b/{*rest}"), ["id", "*rest"]);
        assert_eq!(filled("/a/{id}/b/{*rest}", "x"), "/a/x/b/x");
        assert_eq!(filled("/a/b", "x"), "/a/b");
    }
}
