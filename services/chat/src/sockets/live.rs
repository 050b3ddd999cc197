//! What all connections of this process share, and what becomes of what they say.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::http::StatusCode;
use parlour_auth::{AuthError, Principal, Verifier};
use parlour_chassis::Context;
use parlour_db::{Scope, Tx};
use parlour_events::realtime::Target;
use parlour_http::{ApiError, code};
use parlour_sockets::{App, Conn, Event, Gone, Request, Response, refuse};
use serde_json::{Value, json};
use uuid::Uuid;

use super::frame::Frame;
use super::hub::Hub;
use super::plain;
use super::roster::{News, Place, Roster};
use super::said;
use super::seat::{Outlet, Seat, Slot};
use super::settings::SocketSettings;
use super::typing::Typing;
use super::visits::Visits;
use crate::error::Error;
use crate::state::Chat;

/// The live half of chat in this process.
pub struct Live {
    /// The service.
    pub chat: Arc<Chat>,
    /// Who is connected here.
    pub hub: Hub,
    /// Who is connected anywhere.
    pub roster: Roster,
    /// Who is typing here.
    pub typing: Typing,
    /// Who asked for which room.
    pub visits: Visits,
    /// How connections are held.
    pub settings: SocketSettings,
    context: Context,
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").finish_non_exhaustive()
    }
}

impl Live {
    /// Nobody is connected yet.
    pub fn new(chat: Arc<Chat>, context: Context, settings: SocketSettings) -> Self {
        Self {
            chat,
            hub: Hub::default(),
            roster: Roster::new(Uuid::now_v7()),
            typing: Typing::default(),
            visits: Visits::default(),
            settings,
            context,
        }
    }

    /// What operators see.
    pub fn figures(&self, address: SocketAddr) -> Value {
        json!({
            "address": address,
            "connections": self.hub.all().len(),
            "conversations": self.hub.streams().len(),
        })
    }

    /// The process's verifier of tokens.
    pub fn verifier(&self) -> Result<&Arc<Verifier>, AuthError> {
        self.context.verifier().ok_or(AuthError::Unavailable)
    }

    /// How the process is.
    pub async fn report(&self) -> (bool, String) {
        let report = self.context.readiness.report().await;
        let body = serde_json::to_string(&report).unwrap_or_default();
        (report.ready, body)
    }

    /// Whose token it is.
    pub async fn verify(&self, token: &str) -> Result<Arc<Principal>, AuthError> {
        self.verifier()?.verify(token).await
    }

    /// Seats somebody whose token is good.
    pub async fn sit(&self, principal: Arc<Principal>, way: (Box<str>, Outlet)) -> Result<Arc<Seat>, Error> {
        let user = principal.id;
        let person = self
            .chat
            .db
            .read(Scope::Service, async move |tx: &mut Tx| {
                parlour_directory::find(tx, user).await
            })
            .await?;
        // Somebody who signed up a moment ago may not be known here yet.
        let shown = person.map_or_else(Default::default, |person| (person.name(), person.avatar_url));
        let seat = Arc::new(Seat::new(way, principal, shown));
        self.hub.enter(&seat);
        self.came((None, user), &seat.name);
        metrics::gauge!("parlour_chat_sockets").increment(1.0);
        Ok(seat)
    }

    /// Lets somebody go whose connection ended, or is about to.
    pub fn stand(&self, seat: &Seat) {
        if !seat.note_stood() {
            return;
        }
        for session in seat.joined() {
            self.typing.stop(self, seat, session);
            self.lost((Some(session), seat.user));
        }
        self.hub.exit(seat);
        self.lost((None, seat.user));
        metrics::gauge!("parlour_chat_sockets").decrement(1.0);
    }

    /// A connection came to a place.
    pub fn came(&self, place: Place, name: &str) {
        if let Some(news) = self.roster.came(place, name) {
            self.spread(&news);
        }
    }

    /// A connection left a place.
    pub fn left(&self, place: Place) {
        if let Some(news) = self.roster.left(place) {
            self.spread(&news);
        }
    }

    fn lost(&self, place: Place) {
        if let Some(news) = self.roster.lost(place) {
            self.spread(&news);
        }
    }

    /// Tells the other processes that hold sockets, and this one.
    pub fn spread(&self, news: &News) {
        self.chat.pusher.push(Target::Sockets, "roster", news);
    }
}

impl App for Live {
    type State = Slot;

    fn has_namespace(&self, name: &str) -> bool {
        name == "/"
    }

    async fn connected(self: &Arc<Self>, conn: Arc<Conn<Slot>>, auth: Value) {
        let told = auth.get("token").and_then(Value::as_str);
        let header = conn.request().headers.get(http::header::AUTHORIZATION);
        let header = header.and_then(|value| value.to_str().ok());
        let token = told.or(header).unwrap_or_default();
        let token = token.strip_prefix("Bearer ").unwrap_or(token);
        let refused = match self.verify(token).await {
            Ok(principal) => {
                let way = (conn.id().into(), Outlet::Io(conn.clone()));
                match self.sit(principal, way).await {
                    Ok(seat) => return welcome(&conn, seat),
                    Err(error) => error.into(),
                }
            }
            Err(error) => ApiError::from(error),
        };
        let (code, message) = words(&refused);
        let last = json!({ "message": message, "code": code });
        conn.emit("auth_error", &last).ok();
        conn.disconnect();
    }

    async fn event(self: &Arc<Self>, conn: Arc<Conn<Slot>>, event: Event) {
        let Some(seat) = lock(&conn.state).clone() else {
            return;
        };
        let argument = event.arguments.into_iter().next().unwrap_or(Value::Null);
        let answer = self.handle(&seat, &event.name, argument).await;
        seat.answer(event.ack, &answer);
    }

    fn disconnected(self: &Arc<Self>, conn: Arc<Conn<Slot>>, gone: Gone) {
        if let Some(seat) = lock(&conn.state).take() {
            tracing::debug!(socket = %seat.id, ?gone, "a connection ended");
            self.stand(&seat);
        }
    }

    async fn request(self: &Arc<Self>, request: Request) -> Response {
        match request.uri().path() {
            "/-/ready" => {
                let (ready, body) = self.report().await;
                let mut response = Response::new(body.into());
                if !ready {
                    *response.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
                }
                response
            }
            path if path.starts_with("/ws/chat/") => plain::connect(self.clone(), request).await,
            _ => refuse(http::StatusCode::NOT_FOUND, "there is nothing here"),
        }
    }
}

impl Live {
    /// Does what somebody wants, and answers it as an acknowledgement says it.
    pub async fn handle(self: &Arc<Self>, seat: &Arc<Seat>, event: &str, argument: Value) -> Value {
        let done = if seat.is_too_fast() {
            let sentence = "Too much at once. Wait a moment.";
            Err(ApiError::new(StatusCode::TOO_MANY_REQUESTS, code::RATE_LIMIT_EXCEEDED, sentence).into())
        } else {
            said::handle(self, seat, event, argument).await
        };
        match done {
            Ok(data) => json!({ "success": true, "data": data }),
            Err(error) => {
                let refused = ApiError::from(error);
                let (code, message) = words(&refused);
                let told = json!({ "code": code, "error": message, "event": event });
                seat.tell(&Frame::new("error", told)).ok();
                json!({ "success": false, "code": code, "error": message })
            }
        }
    }
}

/// The code and the sentence, which names the wrong fields. The cause of what is our
/// mistake goes to the log.
fn words(error: &ApiError) -> (String, String) {
    if let Some(cause) = &error.cause {
        tracing::error!(code = %error.code, %cause, "an event failed");
    }
    let message = if error.details.is_empty() {
        error.message.to_string()
    } else {
        format!("{} {}.", error.message, error.details.join("; "))
    };
    (error.code.to_string(), message)
}

fn welcome(conn: &Arc<Conn<Slot>>, seat: Arc<Seat>) {
    let roles: Vec<String> = seat.principal().roles.iter().map(ToString::to_string).collect();
    let user = json!({ "id": seat.user, "name": seat.name, "avatar": seat.avatar, "roles": roles });
    *lock(&conn.state) = Some(seat);
    conn.emit("authenticated", &json!({ "user": user })).ok();
}

fn lock(slot: &Slot) -> std::sync::MutexGuard<'_, Option<Arc<Seat>>> {
    slot.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
