//! What every service promises.

use parlour_testkit::{BadInput, Matrix, migrations_check, schema_check};

fn service() -> parlour_chassis::Service {
    parlour_media::service()
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
    Matrix::of(&service())
        .beside(&[parlour_identity::service()])
        .check()
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input() {
    BadInput::of(&service())
        .beside(&[parlour_identity::service()])
        .check()
        .await;
}
