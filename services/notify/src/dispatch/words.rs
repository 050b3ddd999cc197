//! The words of a message on its channel: of a template that speaks for the channel, else as
//! the list shows them.

use serde_json::{Value, json};

use super::compose::{Letter, Mail};
use crate::channels::Content as Words;
use crate::domain::reason::Chosen;
use crate::domain::{Channel, template};
use crate::error::Error;
use crate::state::Notify;
use crate::store::contents::Content;
use crate::view;

/// The words of one notification on a channel: of the channel's template if there is one and it
/// fits, else title and text as the list shows them.
pub(super) fn of_notification(
    notify: &Notify,
    channel: Channel,
    letter: &Letter,
    content: &Content,
) -> Result<Words, Error> {
    let rendered = content.template.as_deref().and_then(|name| {
        let (locale, words) = letter.rules.words(name, channel, &content.locale)?;
        match template::render(words, &content.variables) {
            Ok(words) => Some((locale, words)),
            Err(error) => {
                tracing::warn!(template = name, locale, %channel, %error, "a template does not fit what was told");
                None
            }
        }
    });
    let (locale, found) = rendered.unwrap_or_else(|| {
        let plain = template::Words {
            subject: content.title.clone(),
            body: content.message.clone(),
            html: None,
        };
        (&content.locale, plain)
    });
    finish(notify, channel, letter, locale, found)
}

/// Adds what belongs to every message of a channel.
fn finish(
    notify: &Notify,
    channel: Channel,
    letter: &Letter,
    locale: &str,
    mut words: template::Words,
) -> Result<Words, Error> {
    let id = letter.due.notification_id.unwrap_or(letter.due.id).to_string();
    let url = notify.settings.notification_url.replace("{id}", &id);
    let switched_off = letter.due.chosen != Chosen::Required.name();
    if channel == Channel::Email {
        words.body = format!("{}\n\n{url}\n", words.body.trim_end());
        if words.html.is_none() {
            words.html = Some(html(notify, locale, &words)?);
        }
    }
    if channel == Channel::Sms && !words.subject.is_empty() {
        words.body = format!("{}\n{}", words.subject, words.body.trim());
    }
    Ok(Words {
        subject: words.subject,
        text: words.body,
        html: words.html,
        url: Some(url),
        unsubscribe: switched_off.then(|| notify.settings.settings_url.replace("{type}", &letter.due.kind)),
    })
}

fn html(notify: &Notify, locale: &str, words: &template::Words) -> Result<String, Error> {
    template::html_of(locale, &words.subject, &words.body, &notify.settings.brand)
        .map_err(|wrong| Error::State(wrong.to_string()))
}

/// The titles that a digest lists; `None` when there is only one notification to tell.
pub(super) fn digest_of(notify: &Notify, letter: &Letter) -> Result<Option<Vec<String>>, Error> {
    let Some(digest) = letter.digest.as_ref().filter(|digest| digest.size > 1) else {
        return Ok(None);
    };
    let mut titles = Vec::new();
    for member in &digest.members {
        let content = view::content_of(&notify.vault, member)?;
        let text = content.message.lines().next().unwrap_or_default();
        titles.push(
            format!("• {}: {text}", content.title)
                .trim_end_matches([':', ' '])
                .to_owned(),
        );
    }
    let more = digest.size - i64::try_from(titles.len()).unwrap_or(0);
    if more > 0 {
        titles.push(format!("+ {more}"));
    }
    Ok(Some(titles))
}

pub(super) fn of_digest(
    notify: &Notify,
    channel: Channel,
    letter: &Letter,
    content: &Content,
    items: &[String],
) -> Result<Words, Error> {
    let count = letter.digest.as_ref().map_or(0, |digest| digest.size);
    let separator = if channel == Channel::Email { "\n\n" } else { "\n" };
    let variables = json!({
        "count": count.to_string(), "items": items.join(separator),
        "recipient": letter.due.person.name, "brand": notify.settings.brand,
    });
    let found = letter
        .rules
        .words("digest", channel, &content.locale)
        .or_else(|| letter.rules.words("digest", Channel::Email, &content.locale));
    let rendered = found.and_then(|(locale, words)| {
        let words = template::render(words, variables.as_object()?).ok()?;
        Some((locale, words))
    });
    let (locale, found) = rendered.unwrap_or_else(|| {
        let plain = template::Words {
            subject: format!("{count} × {}", content.title),
            body: items.join(separator),
            html: None,
        };
        (&content.locale, plain)
    });
    finish(notify, channel, letter, locale, found)
}

/// A mail about the account itself.
pub(super) fn of_mail(notify: &Notify, letter: &Letter, mail: &Mail) -> Result<Words, Error> {
    let mut variables = mail.data.clone();
    variables.insert(
        "recipient".to_owned(),
        Value::from(letter.due.person.name.clone()),
    );
    variables.insert("brand".to_owned(), Value::from(notify.settings.brand.clone()));
    let kind = &letter.due.kind;
    let rendered = letter
        .rules
        .words(kind, Channel::Email, &mail.locale)
        .and_then(|(locale, words)| Some((locale, template::render(words, &variables).ok()?)));
    let url = mail
        .data
        .get("url")
        .and_then(Value::as_str)
        .map(ToOwned::to_owned);
    // Without a template of its own the link still has to arrive.
    let (locale, mut words) = rendered.unwrap_or_else(|| {
        let plain = template::Words {
            subject: format!("{}: {}", notify.settings.brand, kind.replace('_', " ")),
            body: url.clone().unwrap_or_default(),
            html: None,
        };
        (&mail.locale, plain)
    });
    if words.html.is_none() {
        words.html = Some(html(notify, locale, &words)?);
    }
    Ok(Words {
        subject: words.subject,
        text: words.body,
        html: words.html,
        url,
        unsubscribe: None,
    })
}
