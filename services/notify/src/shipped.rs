//! The words that come with a release.

use std::collections::BTreeMap;
use std::sync::Arc;

use parlour_chassis::patiently;
use parlour_db::{Scope, Tx};
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use crate::domain::Channel;
use crate::domain::template::Words;
use crate::error::Error;
use crate::state::Notify;
use crate::store::templates;

/// The files, by language.
const FILES: [(&str, &str); 2] = [
    ("en", include_str!("../templates/en.toml")),
    ("ar", include_str!("../templates/ar.toml")),
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    subject: String,
    body: String,
    html: Option<String>,
}

/// Type, channel, language and words.
type Shipped = (String, Channel, &'static str, Words);

/// Each of them.
pub fn all() -> Result<Vec<Shipped>, toml::de::Error> {
    let mut all = Vec::new();
    for (locale, text) in FILES {
        let kinds: BTreeMap<String, BTreeMap<Channel, Entry>> = toml::from_str(text)?;
        for (kind, channels) in kinds {
            for (channel, entry) in channels {
                let words = Words {
                    subject: entry.subject,
                    body: entry.body,
                    html: entry.html,
                };
                all.push((kind.clone(), channel, locale, words));
            }
        }
    }
    Ok(all)
}

/// Adds templates that are missing, and better words of a newer release where nobody has
/// changed them. An operator's version is never touched. Replicas that start at once take turns.
pub async fn seed(notify: &Arc<Notify>, stop: &CancellationToken) -> anyhow::Result<()> {
    let shipped = Arc::new(all()?);
    let passes = |error: &Error| matches!(error, Error::Db(error) if error.is_transient());
    patiently(stop, passes, || write(notify, shipped.clone())).await?;
    Ok(())
}

async fn write(notify: &Notify, shipped: Arc<Vec<Shipped>>) -> Result<(), Error> {
    let work = async move |tx: &mut Tx| -> Result<(), Error> {
        templates::lock_all(tx).await?;
        for (kind, channel, locale, words) in &*shipped {
            let key = (kind.as_str(), *channel, *locale);
            match templates::find(tx, key).await? {
                None => drop(templates::insert(tx, key, words, true, None).await?),
                Some(found) if found.author.is_none() && found.words() != *words => {
                    templates::change(tx, &found, words, found.active, None).await?;
                }
                Some(_) => {}
            }
        }
        Ok(())
    };
    notify.db.write(Scope::Service, work).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{kinds, template};

    #[test]
    fn every_type_has_words_that_can_be_rendered_in_every_language() {
        let all = all().unwrap();
        for (kind, channel, locale, words) in &all {
            assert!(kinds::named(kind).is_some(), "{kind} is no type");
            if let Err(error) = template::check(kind, *channel, words) {
                panic!("{kind} {channel} {locale}: {error}");
            }
        }
        for kind in kinds::ALL {
            for (locale, _) in FILES {
                let words = all
                    .iter()
                    .any(|(name, _, language, _)| name == kind.name && *language == locale);
                assert!(words, "{} has no words in {locale}", kind.name);
            }
        }
    }
}
