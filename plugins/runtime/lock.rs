//! A lock that outlives a panic.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks `mutex`. A thread that panicked under the lock leaves the value as it was: one caught panic must not become
/// a second one in every other thread.
#[expect(clippy::disallowed_methods, reason = "the one place that locks")]
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
