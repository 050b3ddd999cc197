//! What every service promises.

use parlour_testkit::{BadInput, Matrix, migrations_check, schema_check};

fn service() -> parlour_chassis::Service {
    parlour_notify::service()
}

fn identity() -> [parlour_chassis::Service; 1] {
    [parlour_identity::service()]
}

#[tokio::test(flavor = "multi_thread")]
async fn schema() {
    schema_check(&service(), include_str!("../../src/schema.rs")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn migrations() {
    migrations_check(&service()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn authorisation() {
    // Which rooms somebody may hear is the handler's business.
    Matrix::of(&service())
        .beside(&identity())
        .may_refuse("POST /api/notifications/realtime/join-room")
        .check()
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input() {
    BadInput::of(&service()).beside(&identity()).check().await;
}
