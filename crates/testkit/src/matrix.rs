//! Who may call what, tried out on every route with every kind of caller.

mod callers;

use std::fmt;

use parlour_chassis::Service;
use parlour_http::{Access, Route};
use reqwest::Method;

use callers::{Caller, Cast, Kind};

use crate::{Answer, App, paths};

/// The generated authorisation test: every route of a service × every caller.
///
/// Callers are nobody, each role alone, a holder of each permission that a route
/// asks for, an owner's API token without a scope, a token whose session ended, and
/// a forged one. A path with a variable part is called with an id that nobody has
/// and with another person's. What is answered has to agree with the route's
/// [`Access`]: 401 and 403 come from the guard, before anything else is looked at;
/// whoever is let in gets neither from it, and never a 5xx.
///
/// ```no_run
/// # async fn example(service: parlour_chassis::Service, identity: parlour_chassis::Service) {
/// parlour_testkit::Matrix::of(&service).beside(&[identity]).check().await;
/// # }
/// ```
#[must_use = "nothing is tried before `check`"]
pub struct Matrix {
    service: Service,
    services: Vec<Service>,
    exceptions: Vec<String>,
}

/// What the guard should do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    /// 401, by the guard or before it.
    Unknown,
    /// 403, by the guard.
    Forbidden,
    /// Neither; what the handler answers is its own business.
    Admitted,
}

impl Matrix {
    /// The routes of `service`.
    pub fn of(service: &Service) -> Self {
        Self {
            service: *service,
            services: vec![*service],
            exceptions: Vec::new(),
        }
    }

    /// With the services that it cannot run without; identity, for people to sign in.
    pub fn beside(mut self, others: &[Service]) -> Self {
        self.services.extend(others);
        self
    }

    /// The handler of `route`, such as `POST /api/auth/refresh`, answers with 401 or
    /// 403 of its own to callers whom the guard admits.
    pub fn may_refuse(mut self, route: &str) -> Self {
        self.exceptions.push(route.to_owned());
        self
    }

    /// Tries all of it and fails the test with a table of what should not be.
    pub async fn check(self) {
        let app = App::start(&self.services).await;
        let routes = (self.service.routes)();
        let routes: Vec<&Route> = routes.iter().map(AsRef::as_ref).collect();
        for exception in &self.exceptions {
            let known = routes.iter().any(|route| name(route) == *exception);
            assert!(known, "{exception} is no route of {}", self.service.name);
        }
        let mut cast = Cast::assemble(&app, &routes).await;
        let mut wrong = Vec::new();
        let mut tried = 0;
        for route in routes {
            let may_refuse = self.exceptions.contains(&name(route));
            for (target, path) in targets(route, &cast) {
                for caller in &mut cast.callers {
                    let expected = expected(route.access, caller);
                    let answer = call(&app, route, &path, caller).await;
                    tried += 1;
                    if !agrees(expected, &answer, may_refuse || route.access == Access::External) {
                        let (route, caller) = (name(route), caller.name.clone());
                        wrong.push(Mismatch {
                            route,
                            caller,
                            target,
                            expected,
                            answer,
                        });
                    } else if answer.status() < 300 && !route.method.is_safe() {
                        // It may have ended the caller's own session, or more.
                        caller.renew(&app).await;
                    }
                }
            }
        }
        let count = wrong.len();
        assert!(
            count == 0,
            "{}: {count} of {tried} answers do not agree\n{}",
            self.service.name,
            Table(&wrong)
        );
    }
}

fn name(route: &Route) -> String {
    format!("{} {}", route.method, route.path)
}

/// What stands in the place of the path's variable parts.
fn targets(route: &Route, cast: &Cast) -> Vec<(&'static str, String)> {
    if !route.path.contains('{') {
        return vec![("", route.path.clone())];
    }
    vec![
        (
            "nobody's",
            paths::filled(&route.path, &uuid::Uuid::now_v7().to_string()),
        ),
        (
            "another's",
            paths::filled(&route.path, &cast.bystander.to_string()),
        ),
    ]
}

async fn call(app: &App, route: &Route, path: &str, caller: &Caller) -> Answer {
    let method = Method::from_bytes(route.method.as_str().as_bytes()).expect("a method is a method");
    let mut request = app.client().from(caller.address).request(&method, path);
    if let Some(token) = &caller.token {
        request = request.bearer(token);
    }
    if route.operation().request_body.is_some() {
        request = request.json(serde_json::json!({}));
    }
    request.await
}

fn expected(access: Access, caller: &Caller) -> Expected {
    let refused = matches!(caller.kind, Kind::Revoked | Kind::Forged);
    match (access, &caller.kind) {
        (Access::Anonymous | Access::External, _) => Expected::Admitted,
        (_, _) if refused => Expected::Unknown,
        (Access::Public, _) => Expected::Admitted,
        (_, Kind::Nobody) => Expected::Unknown,
        (_, Kind::Unscoped) => Expected::Forbidden,
        (Access::User, _) => Expected::Admitted,
        (Access::Roles(roles), Kind::Role(role)) if roles.iter().any(|r| role.covers(*r)) => {
            Expected::Admitted
        }
        (Access::Permission(_), Kind::Role(role)) if role.covers(parlour_contracts::Role::SuperAdmin) => {
            Expected::Admitted
        }
        (Access::Permission(needed), Kind::Permission(granted)) if needed == *granted => Expected::Admitted,
        (Access::Roles(roles), Kind::Permission(_)) if roles.contains(&parlour_contracts::Role::Client) => {
            Expected::Admitted
        }
        _ => Expected::Forbidden,
    }
}

fn agrees(expected: Expected, answer: &Answer, may_refuse: bool) -> bool {
    let code = answer.code();
    let refusal = match (answer.status(), code.as_deref()) {
        (401, Some("AUTHENTICATION_REQUIRED")) => Some(Expected::Unknown),
        (403, Some("INSUFFICIENT_PERMISSIONS")) => Some(Expected::Forbidden),
        // An answer to HEAD has no body that could say why.
        (401, None) if answer.is_to_head() => Some(Expected::Unknown),
        (403, None) if answer.is_to_head() => Some(Expected::Forbidden),
        _ => None,
    };
    match expected {
        Expected::Admitted => answer.status() < 500 && (refusal.is_none() || may_refuse),
        wanted => refusal == Some(wanted),
    }
}

struct Mismatch {
    route: String,
    caller: String,
    target: &'static str,
    expected: Expected,
    answer: Answer,
}

impl fmt::Display for Expected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Unknown => "401",
            Self::Forbidden => "403",
            Self::Admitted => "admitted",
        })
    }
}

struct Table<'m>(&'m [Mismatch]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<48} {:<20} {:<10} {:<9} answered",
            "route", "caller", "id", "expected"
        )?;
        for wrong in self.0 {
            let code = wrong.answer.code().unwrap_or_default();
            writeln!(
                f,
                "{:<48} {:<20} {:<10} {:<9} {} {code}",
                wrong.route,
                wrong.caller,
                wrong.target,
                wrong.expected,
                wrong.answer.status(),
            )?;
        }
        Ok(())
    }
}
