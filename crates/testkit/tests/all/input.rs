use parlour_chassis::Service;
use parlour_http::{Anonymous, ApiError, Check, Json, RateClass, Reply, Routes};
use parlour_testkit::{App, BadInput, bad_input};
use serde::Deserialize;
use utoipa::ToSchema;

use crate::demo::{counter, goals};
use crate::failure_of;

#[tokio::test]
async fn a_careful_service_takes_nothing_amiss() {
    BadInput::of(&goals::service())
        .beside(&[parlour_identity::service()])
        .check()
        .await;
}

#[derive(Debug, Deserialize, ToSchema)]
struct Glass {
    title: String,
    count: Option<i64>,
}

impl Check for Glass {}

/// Breaks when it is touched
#[utoipa::path(post, path = "/api/fragile", request_body = Glass, responses((status = 200)))]
async fn fragile(_: Anonymous, Json(glass): Json<Glass>) -> Result<Reply, ApiError> {
    if glass.title.starts_with('\u{202e}') {
        return Err(ApiError::internal("shattered"));
    }
    if glass.title.contains("DROP TABLE") {
        return Err(ApiError::conflict("ERROR: syntax error at or near DROP"));
    }
    if glass.count == Some(-1) {
        let mut bare = Reply::ok(())?;
        (bare.status, bare.body) = (ApiError::not_found().status, b"\"no\"".to_vec());
        return Ok(bare);
    }
    Reply::ok(())
}

fn service() -> Service {
    let routes = || Routes::of("counter").add::<__path_fragile, _, _, _>(RateClass::None, fragile);
    Service {
        routes,
        ..counter::service()
    }
}

#[tokio::test]
async fn what_a_careless_service_answers_is_shown() {
    let shown = failure_of(async {
        let services = [service(), parlour_identity::service()];
        let app = App::start(&services).await;
        let person = app.person("client").await;
        let routes = (service().routes)();
        bad_input(&app, &service(), routes.iter().next().unwrap(), &person).await;
    })
    .await;
    let lines: Vec<&str> = shown.lines().map(str::trim).collect();
    assert_eq!(lines[0], "bad input to POST /api/fragile: 3 problems", "{shown}");
    for begin in [
        "POST /api/fragile, title is a right-to-left override: not a 2xx, 3xx or 4xx; 500 {",
        "POST /api/fragile, title is SQL: the error tells of the inside: \"syntax error at or near\"; 409 {",
        "POST /api/fragile, count is negative: no error in the envelope; 404 \"no\"",
    ] {
        assert!(
            lines.iter().any(|line| line.starts_with(begin)),
            "{begin}\nis missing in\n{shown}"
        );
    }
}
