//! Restarting replicas of a service under load fails no request.

use std::time::Duration;

use parlour_testkit::{eventually, free_address};

use crate::load::Load;
use crate::people::sign_up;
use crate::platform::Platform;

#[tokio::test(flavor = "multi_thread")]
async fn restarting_identity_under_load_fails_no_request() {
    let platform = Platform::new().await;
    let addresses = [free_address(), free_address()];
    let mut replicas = Vec::new();
    for address in addresses {
        replicas.push(platform.identity(address).await);
    }
    let gateway = platform.gateway(&addresses).await;
    let client = gateway.client();
    let mut tokens = Vec::new();
    for n in 0..8 {
        tokens.push(sign_up(&client, &format!("p{n}")).await);
    }
    let load = Load::start(&client, &tokens);
    for round in 0..2 {
        for (replica, address) in addresses.iter().enumerate() {
            let before = load.done();
            let process = replicas.remove(0);
            process.terminate().await;
            replicas.push(platform.identity(*address).await);
            // The other one must not go before the gateway sends requests to this one again.
            eventually(async || load.done() > before + 100).await;
            tokio::time::sleep(Duration::from_millis(1500)).await;
            println!(
                "round {round}, replica {replica}: {} requests so far",
                load.done()
            );
        }
    }
    let total = load.done();
    let failures = load.finish().await;
    assert!(
        failures.is_empty(),
        "{} of {total}: {:?}",
        failures.len(),
        &failures[..failures.len().min(5)]
    );
    println!("{total} requests, none failed");
}
