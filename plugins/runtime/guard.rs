//! Catches panics where gstreamer-rs does not: probes, properties, signals, pool functions, own threads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        "livetune",
        gst::DebugColorFlags::empty(),
        Some("What the livetune elements have in common"),
    )
});

static PANICS: AtomicU64 = AtomicU64::new(0);

/// Runs `action`; where it panics, logs that with the `place` and answers `fallback`.
pub(crate) fn guard<R>(place: &str, fallback: R, action: impl FnOnce() -> R) -> R {
    catch_unwind(AssertUnwindSafe(action)).unwrap_or_else(|_| {
        PANICS.fetch_add(1, Ordering::Relaxed);
        gst::error!(CAT, "panic in {place}: please report it");
        fallback
    })
}

/// Panics caught in this process so far.
pub(crate) fn panics() -> u64 {
    PANICS.load(Ordering::Relaxed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::panic, reason = "it is what is tested")]
    fn a_panic_becomes_the_fallback_and_is_counted() {
        gst::init().expect("GStreamer starts");
        let before = panics();
        assert_eq!(guard("a test", 7, || panic!("on purpose")), 7);
        assert_eq!(guard("a test", 7, || 8), 8);
        assert!(panics() > before);
    }
}
