//! Engine.IO 4 and Socket.IO 5 as their published suites ask for them: every case against
//! the listener itself and through the gateway.

mod client;
mod engine;
mod namespaces;
mod server;
mod sessions;

/// Makes two tests of each case.
macro_rules! cases {
    ($($case:ident),* $(,)?) => {
        mod direct {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $case() {
                    super::$case(crate::sockets::server::Way::Direct).await;
                }
            )*
        }

        mod through_the_gateway {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $case() {
                    super::$case(crate::sockets::server::Way::Gateway).await;
                }
            )*
        }
    };
}
use cases;
