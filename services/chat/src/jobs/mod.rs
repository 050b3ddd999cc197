//! What happens by the clock.

use std::sync::Arc;

use parlour_chassis::Job;

use crate::state::Chat;

/// All jobs.
pub fn all(_state: &Arc<Chat>) -> Vec<Job> {
    Vec::new()
}
