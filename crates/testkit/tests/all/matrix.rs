use parlour_chassis::Service;
use parlour_contracts::Role;
use parlour_http::{ApiError, Has, PathId, Public, RateClass, Reply, RoleSet, Routes, User};
use parlour_testkit::Matrix;

use crate::demo::goals;
use crate::failure_of;

#[tokio::test]
async fn every_route_keeps_its_guards_promise() {
    Matrix::of(&goals::service())
        .beside(&[parlour_identity::service()])
        .check()
        .await;
}

struct Readers;
impl RoleSet for Readers {
    const ROLES: &'static [Role] = &[Role::Reader];
}

/// Lets anybody pass and then thinks better of it.
#[utoipa::path(get, path = "/api/liar", responses((status = 200)))]
async fn liar(_: Public) -> Result<Reply, ApiError> {
    Err(ApiError::unauthenticated())
}

/// Breaks for those who are let in.
#[utoipa::path(get, path = "/api/broken/{id}", params(("id" = uuid::Uuid, Path)), responses((status = 200)))]
async fn broken(_: Has<Readers>, PathId(_): PathId) -> Result<Reply, ApiError> {
    Err(ApiError::internal("broken"))
}

/// Is honest about it.
#[utoipa::path(post, path = "/api/honest", responses((status = 200)))]
async fn honest(_: User) -> Result<Reply, ApiError> {
    Err(ApiError::forbidden())
}

fn lies() -> Service {
    let routes = || {
        Routes::of("counter")
            .add::<__path_liar, _, _, _>(RateClass::None, liar)
            .add::<__path_broken, _, _, _>(RateClass::None, broken)
            .add::<__path_honest, _, _, _>(RateClass::None, honest)
    };
    Service {
        routes,
        ..crate::demo::counter::service()
    }
}

#[tokio::test]
async fn a_broken_promise_is_shown_in_a_table() {
    let matrix = Matrix::of(&lies())
        .beside(&[parlour_identity::service()])
        .may_refuse("POST /api/honest");
    let shown = failure_of(matrix.check()).await;
    let lines: Vec<&str> = shown.lines().map(str::trim_end).collect();
    // Nobody, eight roles and a token without scope are told to sign in by the liar; two ids break for readers.
    assert!(lines[0].ends_with(": 12 of 48 answers do not agree"), "{shown}");
    for line in [
        "GET /api/liar                                    nobody                          admitted  401 AUTHENTICATION_REQUIRED",
        "GET /api/broken/{id}                             reader               another's  admitted  500 INTERNAL_SERVER_ERROR",
    ] {
        assert!(lines.contains(&line), "{line}\nis missing in\n{shown}");
    }
    assert!(!shown.contains("honest"), "{shown}");
}
