//! The rules that operators may change, as a copy in memory that is never old.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use diesel::QueryResult;
use parlour_db::Conn;

use crate::domain::Channel;
use crate::domain::template::Words;
use crate::store::rules::{self, Route};

/// What stands for every type in a role's defaults.
const EVERY: &str = "*";
/// The language that every shipped template is there in.
pub const FALLBACK: &str = "en";

/// Routes, role defaults and active templates.
#[derive(Debug, Default)]
pub struct Rules {
    routes: HashMap<String, Vec<Route>>,
    defaults: HashMap<(String, Channel), Vec<(String, bool)>>,
    templates: HashMap<(String, Channel), HashMap<String, Words>>,
}

impl Rules {
    async fn load(conn: &mut Conn) -> QueryResult<Self> {
        let mut all = Self::default();
        for route in rules::routes(conn).await? {
            all.routes.entry(route.event.clone()).or_default().push(route);
        }
        for (role, kind, channel, enabled) in rules::role_defaults(conn).await? {
            let Some(channel) = Channel::named(&channel) else {
                continue;
            };
            all.defaults
                .entry((kind, channel))
                .or_default()
                .push((role, enabled));
        }
        for template in rules::templates(conn).await? {
            let Some(channel) = Channel::named(&template.channel) else {
                continue;
            };
            let words = Words {
                subject: template.subject,
                body: template.body,
                html: template.html,
            };
            let by_locale = all.templates.entry((template.kind, channel)).or_default();
            by_locale.insert(template.locale, words);
        }
        Ok(all)
    }

    /// Who hears of an event.
    pub fn routes(&self, event: &str) -> &[Route] {
        self.routes.get(event).map_or(&[], Vec::as_slice)
    }

    /// The types that some role or named person is told of.
    pub fn kinds(&self) -> Vec<&str> {
        let mut kinds: Vec<&str> = self.routes.values().flatten().map(|r| r.kind.as_str()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    /// What people with these roles have by default: on, if one of the roles has it on.
    pub fn role_default(&self, roles: &[String], kind: &str, channel: Channel) -> Option<bool> {
        let of = |kind: &str| {
            let lines = self.defaults.get(&(kind.to_owned(), channel))?;
            lines
                .iter()
                .filter(|(role, _)| roles.contains(role))
                .map(|(_, enabled)| *enabled)
                .max()
        };
        of(kind).or_else(|| of(EVERY))
    }

    /// Whether a type has an active template for a channel.
    pub fn has_template(&self, kind: &str, channel: Channel) -> bool {
        self.templates.contains_key(&(kind.to_owned(), channel))
    }

    /// The words of a type on a channel: in the language and region, else in the language, else in
    /// English, else in whatever there is.
    pub fn words(&self, kind: &str, channel: Channel, locale: &str) -> Option<(&str, &Words)> {
        let by_locale = self.templates.get(&(kind.to_owned(), channel))?;
        let language = locale.split(['-', '_']).next().unwrap_or_default();
        [locale, language, FALLBACK]
            .into_iter()
            .find_map(|wanted| by_locale.get_key_value(wanted))
            .or_else(|| by_locale.iter().min_by_key(|(locale, _)| locale.as_str()))
            .map(|(locale, words)| (locale.as_str(), words))
    }

    /// All words of a type, for every channel and language.
    pub fn all_words(&self, kind: &str) -> impl Iterator<Item = &Words> {
        self.templates
            .iter()
            .filter(move |((name, _), _)| name == kind)
            .flat_map(|(_, by_locale)| by_locale.values())
    }
}

/// The copy.
pub struct RuleBook {
    current: RwLock<Option<(Instant, Arc<Rules>)>>,
    oldest: Duration,
}

impl RuleBook {
    /// An empty one, whose copy is read anew when it is older than `oldest`.
    pub fn new(oldest: Duration) -> Self {
        Self {
            current: RwLock::default(),
            oldest,
        }
    }

    /// The rules.
    pub async fn get(&self, conn: &mut Conn) -> QueryResult<Arc<Rules>> {
        let known = self
            .current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        if let Some((read_at, rules)) = known
            && read_at.elapsed() < self.oldest
        {
            return Ok(rules);
        }
        let started = Instant::now();
        let rules = Arc::new(Rules::load(conn).await?);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some((started, rules.clone()));
        Ok(rules)
    }

    /// Has them read anew by whoever needs them next.
    pub fn forget(&self) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_language_is_found() {
        let mut rules = Rules::default();
        let words = |subject: &str| Words {
            subject: subject.into(),
            ..Words::default()
        };
        let by_locale = [("en", words("en")), ("ar", words("ar")), ("ar-EG", words("eg"))];
        let by_locale = by_locale.map(|(locale, words)| (locale.to_owned(), words));
        rules
            .templates
            .insert(("t".into(), Channel::Email), by_locale.into());
        let subject = |locale| {
            rules
                .words("t", Channel::Email, locale)
                .map(|(_, words)| words.subject.as_str())
        };
        assert_eq!(subject("ar-EG"), Some("eg"));
        assert_eq!(subject("ar-SA"), Some("ar"));
        assert_eq!(subject("fr"), Some("en"));
        assert!(rules.words("t", Channel::Sms, "en").is_none());
    }

    #[test]
    fn one_role_that_has_it_on_is_enough() {
        let mut rules = Rules::default();
        let lines = vec![("client".to_owned(), false), ("reader".to_owned(), true)];
        rules.defaults.insert(("t".into(), Channel::Push), lines);
        rules
            .defaults
            .insert((EVERY.into(), Channel::Sms), vec![("client".into(), false)]);
        let named = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        let of = |names, channel| rules.role_default(&named(names), "t", channel);
        assert_eq!(of(&["client"], Channel::Push), Some(false));
        assert_eq!(of(&["client", "reader"], Channel::Push), Some(true));
        assert_eq!(of(&["monitor"], Channel::Push), None);
        assert_eq!(of(&["client"], Channel::Sms), Some(false));
    }
}
