//! What every service promises, for the gateway, which stands before the others.

use parlour_testkit::{BadInput, Matrix};

#[tokio::test(flavor = "multi_thread")]
async fn authorisation() {
    Matrix::of(&parlour_gateway::service())
        .beside(&[parlour_identity::service()])
        .check()
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_input() {
    BadInput::of(&parlour_gateway::service())
        .beside(&[parlour_identity::service()])
        .check()
        .await;
}

#[test]
fn every_service_of_the_binary_is_tried() {
    let names: Vec<&str> = parlour::services::all()
        .iter()
        .map(|service| service.name)
        .collect();
    // A new service has these tests of its own: add its name here when it does.
    assert_eq!(
        names,
        ["gateway", "identity", "chat", "media", "notify", "orders"]
    );
}
