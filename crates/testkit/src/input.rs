//! What goes wrong between a client's keyboard and a handler, tried out on every route.

mod cases;
mod envelope;
mod example;
mod operation;

use parlour_chassis::Service;
use parlour_contracts::{Permission, Role};
use parlour_http::{Dialect, Route};
use reqwest::Method;

use cases::{Case, Expected, Sent};
use operation::Operation;

use crate::report::Report;
use crate::{Answer, App, Person};

/// The bad-input test: null characters, right-to-left overrides, 10,000 characters,
/// SQL, wrong types, broken JSON, wrong content types, bodies that are too large,
/// invalid UTF-8 and malformed ids, thrown at the fields, parameters and path of a
/// route, as its OpenAPI operation lists them.
///
/// Each has to be answered with a 2xx, or with a 4xx in the envelope of the path's
/// dialect that tells nothing of the inside; never with a 5xx, and always with an
/// `X-Request-Id`. Where only one answer is right (413, 415, broken JSON, a null
/// character in a text) it has to be that one.
///
/// ```no_run
/// # async fn example(service: parlour_chassis::Service, identity: parlour_chassis::Service) {
/// parlour_testkit::BadInput::of(&service).beside(&[identity]).check().await;
/// # }
/// ```
#[must_use = "nothing is tried before `check`"]
pub struct BadInput {
    service: Service,
    services: Vec<Service>,
    except: Vec<String>,
}

impl BadInput {
    /// All routes of `service`.
    pub fn of(service: &Service) -> Self {
        Self {
            service: *service,
            services: vec![*service],
            except: Vec::new(),
        }
    }

    /// With the services that it cannot run without; identity, for people to sign in.
    pub fn beside(mut self, others: &[Service]) -> Self {
        self.services.extend(others);
        self
    }

    /// But for `route`, such as `GET /api/stream`, which does not end or does not answer JSON.
    pub fn except(mut self, route: &str) -> Self {
        self.except.push(route.to_owned());
        self
    }

    /// Tries all of it, by somebody who may do everything, and fails the test with a list of what should not be.
    pub async fn check(self) {
        let app = App::start(&self.services).await;
        let mut report = Report::default();
        let mut person = everything(&app).await;
        for route in (self.service.routes)().iter() {
            if !self.except.contains(&format!("{} {}", route.method, route.path)) {
                try_route(&app, &self.service, route, &mut person, &mut report).await;
            }
        }
        report.end(&format!("bad input to {}", self.service.name));
    }
}

/// The bad-input test for one route, called by `person`.
///
/// For a route that needs something to be there first; see [`BadInput`].
pub async fn bad_input(app: &App, service: &Service, route: &Route, person: &Person) {
    let mut report = Report::default();
    try_route(app, service, route, &mut person.clone(), &mut report).await;
    report.end(&format!("bad input to {} {}", route.method, route.path));
}

async fn everything(app: &App) -> Person {
    app.person_with(&Role::ALL, &Permission::ALL).await
}

async fn try_route(app: &App, service: &Service, route: &Route, person: &mut Person, report: &mut Report) {
    let operation = Operation::of(service, route);
    for case in cases::all(&operation) {
        let mut answer = send(app, route, person, &case.sent).await;
        if route.access.reads_tokens() && answer.code().as_deref() == Some("AUTHENTICATION_REQUIRED") {
            // What was sent before has ended the session; it may be meant to.
            *person = everything(app).await;
            answer = send(app, route, person, &case.sent).await;
        }
        if let Err(problem) = judge(route, &case, &answer) {
            let body: String = answer.text().chars().take(300).collect();
            let (method, path) = (&route.method, &route.path);
            report.add(format!(
                "{method} {path}, {}: {problem}; {} {body}",
                case.name,
                answer.status()
            ));
        }
    }
}

async fn send(app: &App, route: &Route, person: &Person, sent: &Sent) -> Answer {
    let method = Method::from_bytes(route.method.as_str().as_bytes()).expect("a method is a method");
    let client = if route.access.reads_tokens() {
        app.by(person)
    } else {
        app.client().from(person.address)
    };
    let mut request = client.request(&method, &sent.path);
    if let Some((content_type, body)) = &sent.body {
        request = match content_type {
            Some(content_type) => request.body(content_type, body.clone()),
            None => request.untyped_body(body.clone()),
        };
    }
    if let Some((name, value)) = &sent.header {
        request = request.header(name, value);
    }
    request.await
}

fn judge(route: &Route, case: &Case, answer: &Answer) -> Result<(), String> {
    envelope::check(Dialect::of(&route.path), answer)?;
    match case.expected {
        Expected::Answer => Ok(()),
        Expected::Status(status) if answer.status() == status => Ok(()),
        Expected::Status(status) => Err(format!("expected {status}")),
    }
}
