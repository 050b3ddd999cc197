//! What services log is printed when a test fails.

use std::sync::Once;

use tracing_subscriber::EnvFilter;

/// Sends logs to the output that the test harness captures. `PARLOUR_TEST_LOG` chooses which.
pub(crate) fn init() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let filter = EnvFilter::try_from_env("PARLOUR_TEST_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_test_writer();
        // A test that installed its own subscriber keeps it.
        drop(subscriber.try_init());
    });
}
