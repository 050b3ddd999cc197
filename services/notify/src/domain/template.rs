//! Templates: Jinja's language with strict variables. What cannot be rendered is found when
//! a template is saved, not when it is sent.

use std::collections::BTreeSet;

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior};
use serde_json::{Map, Value};

use super::{Channel, kinds};

/// Steps of a rendering at the most, so that no template can keep a process busy.
const FUEL: u64 = 20_000;
/// Characters of a rendered text at the most.
const LONGEST: usize = 100_000;

/// The words of a template.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// Subject or title; SMS has none.
    pub subject: String,
    /// The text.
    pub body: String,
    /// The HTML part of an e-mail; made from the text when there is none.
    pub html: Option<String>,
}

/// What is wrong with a template: the field and why.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {why}")]
pub struct Wrong {
    /// `subject`, `body`, `html` or `variables.<name>`.
    pub field: String,
    /// For whoever wrote it.
    pub why: String,
}

/// Renders all parts with `variables`; one that is missing is an error.
pub fn render(words: &Words, variables: &Map<String, Value>) -> Result<Words, Wrong> {
    Ok(Words {
        subject: one_line(&part("subject", &words.subject, variables)?),
        body: part("body", &words.body, variables)?,
        html: words
            .html
            .as_deref()
            .map(|html| part("html", html, variables))
            .transpose()?,
    })
}

/// A subject is a header: it has no line breaks.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Checks a template for its type: that it can be read, says nothing that the type does
/// not have, and renders with the examples.
pub fn check(kind: &str, channel: Channel, words: &Words) -> Result<(), Wrong> {
    if channel != Channel::Email && words.html.is_some() {
        return Err(wrong("html", "only e-mails have an HTML part"));
    }
    if channel != Channel::Sms && words.subject.trim().is_empty() {
        return Err(wrong("subject", "is required"));
    }
    let Some(known) = kinds::named(kind) else {
        // The sender brings the variables, and is told then which ones are missing.
        return variables_of(words).map(drop);
    };
    let allowed = known.variables.iter().chain(&kinds::COMMON);
    for (field, name) in variables_by_field(words)? {
        if !allowed.clone().any(|(known, _)| *known == name) {
            let names: Vec<&str> = allowed.map(|(name, _)| *name).collect();
            let why = format!("{kind} has no variable {name}; there are {}", names.join(", "));
            return Err(wrong(field, &why));
        }
    }
    render(words, &examples(kind)).map(drop)
}

/// The variables that a template needs.
pub fn variables_of(words: &Words) -> Result<BTreeSet<String>, Wrong> {
    Ok(variables_by_field(words)?
        .into_iter()
        .map(|(_, name)| name)
        .collect())
}

/// Example values of a type's variables.
pub fn examples(kind: &str) -> Map<String, Value> {
    let own = kinds::named(kind).map_or(&[][..], |kind| kind.variables);
    own.iter()
        .chain(&kinds::COMMON)
        .map(|(name, example)| ((*name).to_owned(), Value::from(*example)))
        .collect()
}

fn variables_by_field(words: &Words) -> Result<Vec<(&'static str, String)>, Wrong> {
    let mut found = Vec::new();
    let parts = [
        ("subject", Some(words.subject.as_str())),
        ("body", Some(words.body.as_str())),
        ("html", words.html.as_deref()),
    ];
    for (field, text) in parts {
        let Some(text) = text else { continue };
        let environment = environment(Some(FUEL));
        let template = environment
            .template_from_named_str(field, text)
            .map_err(|error| explain(field, &error))?;
        let mut names: Vec<String> = template.undeclared_variables(false).into_iter().collect();
        // Functions such as `range` look like variables.
        names.retain(|name| environment.globals().all(|(global, _)| global != name));
        names.sort();
        found.extend(names.into_iter().map(|name| (field, name)));
    }
    Ok(found)
}

fn environment(fuel: Option<u64>) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(fuel);
    environment.set_auto_escape_callback(|name| {
        if name == "html" {
            AutoEscape::Html
        } else {
            AutoEscape::None
        }
    });
    environment
}

fn part(field: &'static str, text: &str, variables: &Map<String, Value>) -> Result<String, Wrong> {
    let rendered = with_fuel(field, text, variables, Some(FUEL))?;
    if rendered.chars().count() > LONGEST {
        return Err(wrong(field, "renders to more than 100,000 characters"));
    }
    Ok(rendered)
}

/// Templates are short and read in microseconds: a cache would cost more than it gives.
fn with_fuel(
    field: &'static str,
    text: &str,
    variables: &Map<String, Value>,
    fuel: Option<u64>,
) -> Result<String, Wrong> {
    environment(fuel)
        .render_named_str(field, text, Serde(variables))
        .map_err(|error| explain(field, &error))
}

fn wrong(field: &str, why: &str) -> Wrong {
    Wrong {
        field: field.to_owned(),
        why: why.to_owned(),
    }
}

fn explain(field: &str, error: &minijinja::Error) -> Wrong {
    let line = error
        .line()
        .map(|line| format!("line {line}: "))
        .unwrap_or_default();
    let what = match error.kind() {
        ErrorKind::UndefinedError => "a variable is missing".to_owned(),
        ErrorKind::OutOfFuel => "takes too long to render".to_owned(),
        kind => error.detail().map_or_else(|| kind.to_string(), ToOwned::to_owned),
    };
    wrong(field, &format!("{line}{what}"))
}

/// The e-mail's HTML when its template has none: the text in paragraphs, links to click,
/// in the direction of the language.
pub fn html_of(locale: &str, subject: &str, text: &str, brand: &str) -> Result<String, Wrong> {
    let direction = if is_right_to_left(locale) { "rtl" } else { "ltr" };
    let paragraphs: Vec<Vec<Value>> = text
        .split("\n\n")
        .map(str::trim)
        .filter(|paragraph| !paragraph.is_empty())
        .map(|paragraph| paragraph.lines().map(line).collect())
        .collect();
    let variables = serde_json::json!({
        "locale": locale, "direction": direction, "subject": subject, "paragraphs": paragraphs, "brand": brand,
    });
    let Value::Object(variables) = variables else {
        return Err(wrong("html", "has no variables"));
    };
    // Ours, and as long as the text is: it needs no limit.
    with_fuel(
        "html",
        include_str!("../../templates/mail.html"),
        &variables,
        None,
    )
}

/// A line of text, and where it leads if it is nothing but an address.
fn line(text: &str) -> Value {
    let text = text.trim();
    let is_link =
        (text.starts_with("https://") || text.starts_with("http://")) && !text.contains(char::is_whitespace);
    serde_json::json!({ "text": text, "is_link": is_link })
}

/// Whether a language is written from right to left.
pub fn is_right_to_left(locale: &str) -> bool {
    let language = locale.split(['-', '_']).next().unwrap_or_default();
    ["ar", "fa", "he", "ur", "ps", "ckb", "yi"].contains(&language)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn words(subject: &str, body: &str, html: Option<&str>) -> Words {
        Words {
            subject: subject.into(),
            body: body.into(),
            html: html.map(Into::into),
        }
    }

    fn variables(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn html_is_escaped_and_text_is_not() {
        let words = words("{{ a }}", "{{ a }}", Some("<p>{{ a }}</p>"));
        let given = variables(&json!({ "a": "<b>\"قراءة\" 🌙\n&" }));
        let rendered = render(&words, &given).unwrap();
        assert_eq!(rendered.subject, "<b>\"قراءة\" 🌙 &", "a subject is one line");
        assert_eq!(rendered.body, "<b>\"قراءة\" 🌙\n&");
        let html = rendered.html.unwrap();
        assert!(
            html.starts_with("<p>&lt;b&gt;&quot;قراءة&quot; 🌙") && html.ends_with("&amp;</p>"),
            "{html}"
        );
    }

    #[test]
    fn a_missing_variable_fails_the_save_and_the_preview() {
        let missing = words("Hi", "{{ nobody }}", None);
        let error = check("order_delivered", Channel::Email, &missing).unwrap_err();
        assert_eq!(error.field, "body");
        assert!(
            error.why.contains("has no variable nobody") && error.why.contains("service_name"),
            "{error}"
        );
        let error = render(&missing, &Map::new()).unwrap_err();
        assert_eq!(
            (error.field.as_str(), error.why.as_str()),
            ("body", "line 1: a variable is missing")
        );
        check("my_own_type", Channel::Email, &missing).unwrap();
        assert_eq!(variables_of(&missing).unwrap(), ["nobody".to_owned()].into());
    }

    #[test]
    fn what_cannot_be_read_or_does_not_end_is_refused() {
        for bad in ["{{ a", "{% if %}", "{% include 'x' %}", "{{ number.x.y }}"] {
            let refused = check("order_delivered", Channel::Push, &words("Hi", bad, None));
            assert!(refused.is_err(), "{bad}");
        }
        let endless = "{% for a in range(9999) %}{% for b in range(9999) %}x{% endfor %}{% endfor %}";
        let error = check("order_delivered", Channel::Push, &words("Hi", endless, None)).unwrap_err();
        assert!(error.why.contains("too long"), "{error}");
        assert!(check("order_delivered", Channel::Push, &words(" ", "x", None)).is_err());
        assert!(check("order_delivered", Channel::Push, &words("x", "x", Some("x"))).is_err());
        check("order_delivered", Channel::Sms, &words("", "{{ number }}", None)).unwrap();
    }

    #[test]
    fn a_mail_without_html_gets_one_in_its_direction() {
        let html = html_of(
            "ar-SA",
            "عنوان",
            "سطر <1>\n\nhttps://example.org/a?b=1&c=2\n",
            "Parlour",
        )
        .unwrap();
        assert!(
            html.contains("dir=\"rtl\"") && html.contains("سطر &lt;1&gt;"),
            "{html}"
        );
        assert!(
            html.contains("href=\"https:&#x2f;&#x2f;example.org")
                || html.contains("href=\"https://example.org")
        );
        assert!(html_of("en", "x", "y", "z").unwrap().contains("dir=\"ltr\""));
    }
}
