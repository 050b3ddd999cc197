//! SafeTalk's `/chat/book-appointment/` and `/chat/appointments/…`

pub mod book;
pub mod cancel;
pub mod confirm;
pub mod list;

use parlour_db::{DbError, Tx};
use parlour_http::{Routes, Time};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::domain::appointment::{self, Action, Refusal, Status};
use crate::error::Error;
use crate::state::Orders;
use crate::store::appointments::{self, Appointment};
use crate::viewer::Viewer;

/// SafeTalk's routes about appointments.
pub fn routes() -> Routes {
    let routes = Routes::of(crate::NAME);
    cancel::route(confirm::route(list::route(book::route(routes))))
}

/// An appointment.
#[derive(Debug, Serialize, ToSchema)]
#[expect(missing_docs, reason = "the names say it")]
pub struct AppointmentView {
    pub id: Uuid,
    pub counselor_id: Uuid,
    /// Their name.
    pub counselor: String,
    pub client_id: Uuid,
    /// Their name.
    pub client: String,
    pub title: String,
    pub description: Option<String>,
    pub scheduled_date: Time,
    pub duration_minutes: i32,
    /// `pending`, `confirmed`, `completed`, `cancelled` or `no_show`.
    pub status: String,
}

/// What an appointment is about, as it is sealed.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Subject {
    title: String,
    description: Option<String>,
}

impl Orders {
    fn appointment(&self, row: &Appointment) -> Result<AppointmentView, Error> {
        let subject = match &row.subject_sealed {
            None => Subject::default(),
            Some(sealed) => {
                let plain = self.vault.open(&Appointment::subject_place(row.id), sealed)?;
                serde_json::from_slice(&plain)?
            }
        };
        Ok(AppointmentView {
            id: row.id,
            counselor_id: row.counselor_id,
            counselor: row.counselor_name.clone().unwrap_or_default(),
            client_id: row.client_id,
            client: row.client_name.clone().unwrap_or_default(),
            title: subject.title,
            description: subject.description,
            scheduled_date: row.starts_at.into(),
            duration_minutes: row.minutes(),
            status: row.status_name().to_owned(),
        })
    }

    /// Locks an appointment and finds out where `action` by this person leads now.
    async fn begin_appointment(
        &self,
        tx: &mut Tx,
        id: Uuid,
        viewer: &Viewer,
        action: Action,
    ) -> Result<(Appointment, Status), Error> {
        let row = appointments::lock(tx, id, viewer.id, viewer.is_admin()).await;
        let row = match row {
            Err(DbError::NotFound) => return Err(Error::Db(DbError::NotFound)),
            other => other?,
        };
        let (status, phase) = (row.status()?, row.phase(self.now()));
        match appointment::decide(action, status, phase, &viewer.parties_of(&row)) {
            Ok(to) => Ok((row, to)),
            Err(Refusal::NotYours) => Err(Error::Forbidden(
                "this is not for you to do with this appointment",
            )),
            Err(Refusal::State) => Err(Error::state("status", status.name())),
            Err(Refusal::Time(when)) => {
                let possible = format!("{action}: possible {when}");
                Err(Error::State(vec![format!("status: {status}"), possible]))
            }
        }
    }
}
