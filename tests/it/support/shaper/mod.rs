//! A network on the loopback: a bottleneck with a rate, a queue of limited length and a delay.

mod tcp;
mod udp;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

pub use tcp::TcpShaper;
pub use udp::UdpShaper;

/// How long a thread waits for data before it looks whether it is to end.
const LOOK: Duration = Duration::from_millis(50);

/// What a path is like. The way back has the same delay, and room for everything.
#[derive(Clone, Copy)]
pub struct Path {
    pub kbps: u64,
    /// One way, without a queue.
    pub delay: Duration,
    /// The longest queue, as the time it takes to drain.
    pub queue: Duration,
}

impl Path {
    /// 300 ms of queue, as the routers that this project measures with.
    pub const fn of(kbps: u64, delay_ms: u64) -> Self {
        Self {
            kbps,
            delay: Duration::from_millis(delay_ms),
            queue: Duration::from_millis(300),
        }
    }
}

/// What a shaper and its threads share.
struct Shared {
    kbps: AtomicU64,
    stop: AtomicBool,
    offered: AtomicU64,
    dropped: AtomicU64,
    carried_bytes: AtomicU64,
}

impl Shared {
    fn new(kbps: u64) -> Arc<Self> {
        Arc::new(Self {
            kbps: AtomicU64::new(kbps),
            stop: AtomicBool::new(false),
            offered: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            carried_bytes: AtomicU64::new(0),
        })
    }

    fn ended(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn time_on_the_wire(&self, bytes: usize) -> Duration {
        let kbps = self.kbps.load(Ordering::Relaxed).max(1);
        Duration::from_nanos(bytes as u64 * 8_000_000 / kbps)
    }
}

/// What went through so far.
#[derive(Clone, Copy, Debug)]
pub struct Carried {
    pub bytes: u64,
    pub packets: u64,
    pub dropped: u64,
}

impl Carried {
    fn of(shared: &Shared) -> Self {
        Self {
            bytes: shared.carried_bytes.load(Ordering::Relaxed),
            packets: shared.offered.load(Ordering::Relaxed),
            dropped: shared.dropped.load(Ordering::Relaxed),
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "a network in real time")]
fn now() -> Instant {
    Instant::now()
}

#[allow(clippy::disallowed_methods, reason = "a network in real time")]
fn sleep_until(time: Instant) {
    std::thread::sleep(time.saturating_duration_since(Instant::now()));
}
