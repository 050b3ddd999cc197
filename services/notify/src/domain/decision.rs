//! Which channels a notification takes to a person, and when: every decision has a reason.

use chrono::{DateTime, Duration, Utc};
use chrono_tz::Tz;

use super::reason::{Chosen, Reason};
use super::wishes::Wishes;
use super::{Channel, Priority, quiet};

/// What is to be told, as far as it matters here.
#[derive(Clone, Debug)]
pub struct Matter<'a> {
    /// Its type.
    pub kind: &'a str,
    /// How much it matters.
    pub priority: Priority,
    /// Whether it ignores preferences and quiet hours.
    pub required: bool,
    /// The channels that the sender asked for; their default choice when `None`.
    pub channels: Option<&'a [Channel]>,
    /// When it has lost its point.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Matter<'_> {
    fn insists(&self) -> bool {
        self.required || self.priority == Priority::Emergency
    }
}

/// How a person can be reached on a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// At a confirmed address.
    Confirmed,
    /// At one that nobody has confirmed.
    Unconfirmed,
    /// At one that a provider has refused.
    Dead,
    /// Not at all.
    Nowhere,
}

/// The person, as far as they matter here.
#[derive(Clone, Debug)]
pub struct Listener<'a> {
    /// What they want.
    pub wishes: &'a Wishes,
    /// What their roles have by default on the channel; an `on` of one role wins.
    pub role_default: Option<bool>,
    /// Whether an active template of the type speaks for the channel.
    pub has_template: bool,
    /// How the channel reaches them.
    pub reach: Reach,
    /// The zone of their clock.
    pub zone: Tz,
}

/// What becomes of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It goes out at once.
    Now(Chosen),
    /// It goes out then.
    Later(Chosen, Reason, DateTime<Utc>),
    /// It joins the digest that is open, or opens one that ends then.
    Collect(Chosen, DateTime<Utc>),
    /// It does not.
    Skip(Reason),
}

/// Decides about one channel.
pub fn decide(channel: Channel, matter: &Matter<'_>, who: &Listener<'_>, now: DateTime<Utc>) -> Decision {
    let chosen = match choose(channel, matter, who) {
        Ok(chosen) => chosen,
        Err(reason) => return Decision::Skip(reason),
    };
    match who.reach {
        Reach::Confirmed => {}
        // Whoever registered with this address has to know what happens to the account.
        Reach::Unconfirmed if matter.required && channel == Channel::Email => {}
        Reach::Unconfirmed => return Decision::Skip(Reason::Unverified),
        Reach::Dead => return Decision::Skip(Reason::DeadAddress),
        Reach::Nowhere => return Decision::Skip(Reason::NoAddress),
    }
    if matter.expires_at.is_some_and(|at| at <= now) {
        return Decision::Skip(Reason::Expired);
    }
    // Whoever looks at the screen is awake, and the list must not lag.
    if channel == Channel::Socket || matter.insists() {
        return Decision::Now(chosen);
    }
    if matter.priority == Priority::Low && who.wishes.digest.enabled {
        let window = Duration::minutes(i64::from(who.wishes.digest.window_minutes));
        let end = now + window;
        let end = quiet::until(&who.wishes.quiet_hours, who.zone, end).unwrap_or(end);
        return if matter.expires_at.is_some_and(|at| at <= end) {
            wait(chosen, matter, who, now)
        } else {
            Decision::Collect(chosen, end)
        };
    }
    wait(chosen, matter, who, now)
}

fn wait(chosen: Chosen, matter: &Matter<'_>, who: &Listener<'_>, now: DateTime<Utc>) -> Decision {
    match quiet::until(&who.wishes.quiet_hours, who.zone, now) {
        None => Decision::Now(chosen),
        Some(end) if matter.expires_at.is_some_and(|at| at <= end) => Decision::Skip(Reason::QuietHours),
        Some(end) => Decision::Later(chosen, Reason::QuietHours, end),
    }
}

/// The layers: the matter itself, the person, the sender, the role, the template.
fn choose(channel: Channel, matter: &Matter<'_>, who: &Listener<'_>) -> Result<Chosen, Reason> {
    if matter.priority == Priority::Emergency {
        return Ok(Chosen::Emergency);
    }
    if matter.required && (channel == Channel::Socket || who.has_template) {
        return Ok(Chosen::Required);
    }
    let wished = who.wishes.of(matter.kind, channel);
    if wished == Some(false) {
        return Err(Reason::Preference);
    }
    if let Some(requested) = matter.channels {
        return if requested.contains(&channel) {
            Ok(Chosen::Requested)
        } else {
            Err(Reason::NotRequested)
        };
    }
    match (wished, who.role_default) {
        (Some(true), _) => Ok(Chosen::Own),
        (_, Some(true)) => Ok(Chosen::Role),
        (_, Some(false)) => Err(Reason::RoleDefault),
        (_, None) if channel == Channel::Socket => Ok(Chosen::Always),
        (_, None) if who.has_template => Ok(Chosen::Template),
        (_, None) => Err(Reason::NotChosen),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::wishes::ANY;

    fn now() -> DateTime<Utc> {
        "2026-05-04T23:00:00Z".parse().unwrap()
    }

    fn matter(priority: Priority) -> Matter<'static> {
        Matter {
            kind: "order_delivered",
            priority,
            required: false,
            channels: None,
            expires_at: None,
        }
    }

    fn listener(wishes: &Wishes) -> Listener<'_> {
        Listener {
            wishes,
            role_default: None,
            has_template: false,
            reach: Reach::Confirmed,
            zone: Tz::UTC,
        }
    }

    fn saying(kind: &str, on: bool) -> Wishes {
        Wishes {
            preferences: [(kind.to_owned(), [(Channel::Email, on)].into())].into(),
            ..Wishes::default()
        }
    }

    #[test]
    fn each_layer_gives_way_to_the_one_above() {
        let matter = matter(Priority::Normal);
        let silent = Wishes::default();
        let mut who = listener(&silent);
        let email = |who: &Listener<'_>, matter: &Matter<'_>| decide(Channel::Email, matter, who, now());
        assert_eq!(email(&who, &matter), Decision::Skip(Reason::NotChosen));
        who.has_template = true;
        assert_eq!(email(&who, &matter), Decision::Now(Chosen::Template));
        who.role_default = Some(false);
        assert_eq!(email(&who, &matter), Decision::Skip(Reason::RoleDefault));
        let wants = saying("order_delivered", true);
        who.wishes = &wants;
        assert_eq!(email(&who, &matter), Decision::Now(Chosen::Own));
        let refuses = saying(ANY, false);
        who.wishes = &refuses;
        who.role_default = Some(true);
        assert_eq!(email(&who, &matter), Decision::Skip(Reason::Preference));
        let mut asked = matter.clone();
        asked.channels = Some(&[Channel::Email]);
        assert_eq!(email(&who, &asked), Decision::Skip(Reason::Preference));
        who.wishes = &silent;
        assert_eq!(email(&who, &asked), Decision::Now(Chosen::Requested));
        assert_eq!(
            decide(Channel::Push, &asked, &who, now()),
            Decision::Skip(Reason::NotRequested)
        );
    }

    #[test]
    fn emergencies_and_required_types_do_not_ask() {
        let mut refuses = saying(ANY, false);
        refuses.quiet_hours.enabled = true;
        let mut who = listener(&refuses);
        let emergency = matter(Priority::Emergency);
        for channel in Channel::ALL {
            assert_eq!(
                decide(channel, &emergency, &who, now()),
                Decision::Now(Chosen::Emergency)
            );
        }
        who.has_template = true;
        who.reach = Reach::Unconfirmed;
        let required = Matter {
            required: true,
            ..matter(Priority::High)
        };
        let decision = decide(Channel::Email, &required, &who, now());
        assert_eq!(decision, Decision::Now(Chosen::Required));
        let decision = decide(Channel::Email, &emergency, &who, now());
        assert_eq!(decision, Decision::Skip(Reason::Unverified));
    }

    #[test]
    fn quiet_hours_delay_or_end_it_but_never_the_screen() {
        let mut wishes = Wishes::default();
        wishes.quiet_hours.enabled = true;
        let mut who = listener(&wishes);
        who.has_template = true;
        let morning = "2026-05-05T07:00:00Z".parse().unwrap();
        let mut matter = matter(Priority::High);
        assert_eq!(
            decide(Channel::Email, &matter, &who, now()),
            Decision::Later(Chosen::Template, Reason::QuietHours, morning)
        );
        assert_eq!(
            decide(Channel::Socket, &matter, &who, now()),
            Decision::Now(Chosen::Always)
        );
        matter.expires_at = Some(morning);
        assert_eq!(
            decide(Channel::Email, &matter, &who, now()),
            Decision::Skip(Reason::QuietHours)
        );
        matter.expires_at = Some(now());
        assert_eq!(
            decide(Channel::Socket, &matter, &who, now()),
            Decision::Skip(Reason::Expired)
        );
    }

    #[test]
    fn low_priority_is_collected_and_the_digest_keeps_quiet_too() {
        let mut wishes = Wishes::default();
        let low = matter(Priority::Low);
        let mut who = listener(&wishes);
        who.has_template = true;
        let hour = now() + Duration::hours(1);
        assert_eq!(
            decide(Channel::Email, &low, &who, now()),
            Decision::Collect(Chosen::Template, hour)
        );
        wishes.quiet_hours.enabled = true;
        let who = Listener {
            wishes: &wishes,
            has_template: true,
            ..listener(&wishes)
        };
        let morning = "2026-05-05T07:00:00Z".parse().unwrap();
        assert_eq!(
            decide(Channel::Email, &low, &who, now()),
            Decision::Collect(Chosen::Template, morning)
        );
    }

    #[test]
    fn an_address_is_needed() {
        let wishes = Wishes::default();
        let mut who = listener(&wishes);
        who.role_default = Some(true);
        for (reach, reason) in [
            (Reach::Nowhere, Reason::NoAddress),
            (Reach::Dead, Reason::DeadAddress),
            (Reach::Unconfirmed, Reason::Unverified),
        ] {
            who.reach = reach;
            let decision = decide(Channel::Sms, &matter(Priority::Normal), &who, now());
            assert_eq!(decision, Decision::Skip(reason));
        }
    }
}
