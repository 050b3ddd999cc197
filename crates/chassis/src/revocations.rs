//! Keeps the process's list of revoked tokens complete.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use parlour_auth::{Authority, Revocation, Revocations};
use parlour_contracts::Event as _;
use parlour_contracts::identity::v1::{RolesChanged, SessionRevoked};
use parlour_events::{Broker, Envelope, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Follows identity's events. While they do not come the list counts as
/// incomplete, and identity is asked about every token; after each connect all of
/// it is asked for once.
pub(crate) async fn follow(
    broker: Broker,
    authority: Arc<dyn Authority>,
    revocations: Arc<Revocations>,
    stop: CancellationToken,
) {
    let (asked, told) = (revocations.clone(), revocations.clone());
    let mut caught_up = watch::watch(
        broker,
        &[SessionRevoked::TYPE, RolesChanged::TYPE],
        move || {
            let (authority, asked) = (authority.clone(), asked.clone());
            async move {
                let all = authority.revocations().await?;
                for one in all {
                    asked.add(one);
                }
                Ok(())
            }
        },
        move |event| {
            if let Some(revocation) = read(&event) {
                told.add(revocation);
            }
            std::future::ready(())
        },
        stop,
    );
    loop {
        revocations.set_complete(*caught_up.borrow_and_update());
        if caught_up.changed().await.is_err() {
            revocations.set_complete(false);
            return;
        }
    }
}

/// What an event revokes. One that cannot be read revokes nothing and is logged.
fn read(event: &Envelope) -> Option<Revocation> {
    let revocation = if event.event_type == SessionRevoked::TYPE {
        event.decode::<SessionRevoked>().ok().and_then(|revoked| {
            Some(Revocation {
                account: revoked.account_id.parse().ok()?,
                session: optional(&revoked.session_id)?,
                not_before: moment(revoked.not_before_ms)?,
                except: optional(&revoked.except_session_id)?,
            })
        })
    } else {
        event.decode::<RolesChanged>().ok().and_then(|changed| {
            Some(Revocation {
                account: changed.account_id.parse().ok()?,
                session: None,
                not_before: moment(changed.not_before_ms)?,
                except: None,
            })
        })
    };
    if revocation.is_none() {
        tracing::error!(id = %event.id, kind = %event.event_type, "a revocation cannot be read");
    }
    revocation
}

/// Empty is none; anything else has to be an id.
#[expect(clippy::option_option, reason = "none, an id, and neither are three things")]
fn optional(text: &str) -> Option<Option<Uuid>> {
    if text.is_empty() {
        return Some(None);
    }
    text.parse().ok().map(Some)
}

fn moment(milliseconds: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_millis(milliseconds)
}
