//! One long TCP transfer with CUBIC (RFC 9438), as far as its sharing of a queue is concerned.

/// RFC 9438, section 4.6 and 5: the factor after loss, and the scale of the curve.
const BETA: f64 = 0.7;
const C: f64 = 0.4;
pub(super) const SEGMENT: u64 = 1_514;

#[derive(Default)]
pub(super) struct Cubic {
    window: f64,
    threshold: f64,
    highest_before: f64,
    epoch_us: u64,
    pub(super) next: u64,
    acked: u64,
    /// Losses up to here belong to the reduction that was done.
    recovery: u64,
    heard_us: u64,
    rtt_us: f64,
    pub(super) arrived_bytes: u64,
}

impl Cubic {
    pub(super) fn new(now_us: u64) -> Self {
        Self {
            window: 10.0,
            threshold: f64::INFINITY,
            heard_us: now_us,
            rtt_us: 50_000.0,
            ..Self::default()
        }
    }

    pub(super) fn may_send(&self) -> bool {
        ((self.next - self.acked) as f64) < self.window
    }

    /// The segment `number`, which left at `sent_us`, is acknowledged, as is all before it or lost.
    pub(super) fn on_ack(&mut self, number: u64, sent_us: u64, now_us: u64) {
        let missing = number.saturating_sub(self.acked);
        let rtt = (now_us - sent_us) as f64;
        self.rtt_us += (rtt - self.rtt_us) / 8.0;
        self.heard_us = now_us;
        self.acked = self.acked.max(number + 1);
        if missing > 0 && number >= self.recovery {
            self.on_loss(now_us);
        } else if self.window < self.threshold {
            self.window += 1.0;
        } else {
            self.grow(now_us);
        }
    }

    /// Nothing was acknowledged for a second: the window is gone.
    pub(super) fn on_time(&mut self, now_us: u64) {
        if now_us - self.heard_us > 1_000_000 {
            self.on_loss(now_us);
            self.acked = self.next;
            self.window = 2.0;
            self.heard_us = now_us;
        }
    }

    fn on_loss(&mut self, now_us: u64) {
        self.recovery = self.next;
        let shrinks = self.window < self.highest_before;
        let highest = if shrinks { (1.0 + BETA) / 2.0 } else { 1.0 };
        self.highest_before = self.window * highest;
        self.window = (self.window * BETA).max(2.0);
        self.threshold = self.window;
        self.epoch_us = now_us;
    }

    fn grow(&mut self, now_us: u64) {
        let passed = (now_us - self.epoch_us) as f64 / 1e6;
        let rtt = self.rtt_us / 1e6;
        let back = ((self.highest_before * (1.0 - BETA)) / C).cbrt();
        let curve = C * (passed + rtt - back).powi(3) + self.highest_before;
        let reno = self.highest_before * BETA + 3.0 * (1.0 - BETA) / (1.0 + BETA) * passed / rtt;
        let wanted = curve.max(reno).clamp(self.window, 1.5 * self.window);
        self.window += (wanted - self.window) / self.window;
    }
}
