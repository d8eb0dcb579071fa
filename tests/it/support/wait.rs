//! Waiting for a condition, with a deadline.

use std::time::Duration;

const POLL: Duration = Duration::from_millis(5);

/// Returns as soon as `condition` holds; fails the test, saying `what` it waited for, when `limit` has passed.
#[allow(clippy::disallowed_methods, reason = "tests run in real time")]
pub fn eventually(what: &str, limit: Duration, mut condition: impl FnMut() -> bool) {
    let start = std::time::Instant::now();
    while !condition() {
        assert!(start.elapsed() < limit, "waited {limit:?} for {what}");
        std::thread::sleep(POLL);
    }
}
