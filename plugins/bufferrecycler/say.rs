//! What the element tells the application.

use gst::prelude::*;
use gst::subclass::prelude::*;
use livetune_core::recycle::{Advice, Overdue, Sight};
use livetune_core::time::nanos;

use super::faults;
use super::imp::{BufferRecycler, CAT};
use super::memory;
use super::options::WhenFull;
use super::report::MESSAGE;
use super::state::Offered;
use crate::runtime::clock;
use crate::runtime::figures::{self, Figure};
use crate::runtime::lock::lock;
use crate::runtime::telemetry::Observed;

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Upstream waits at the maximum of one of our pools.
    PoolDry,
    /// Upstream's own pool runs low.
    UpstreamLow,
    /// Downstream holds all that upstream's own pool has.
    UpstreamDry,
    /// A buffer is held for too long.
    BufferHeld,
}

impl Trouble {
    pub(super) const COUNT: usize = 4;

    const fn text(self) -> &'static str {
        match self {
            Self::PoolDry => "pool-dry",
            Self::UpstreamLow => "upstream-low",
            Self::UpstreamDry => "upstream-dry",
            Self::BufferHeld => "buffer-held",
        }
    }
}

impl BufferRecycler {
    /// Upstream begins to wait at the maximum of a pool. No lock is held.
    pub(super) fn on_pool_dry(&self) {
        self.tell(Trouble::PoolDry);
    }

    /// Upstream waited in vain at a pool that lends `most` buffers. No lock is held.
    pub(super) fn on_pool_full(&self, most: u32, when_full: WhenFull) {
        let warns = self.with_state(super::state::State::may_warn);
        if warns != Some(true) {
            gst::debug!(CAT, imp = self, "a pool of {most} buffers is full again");
            return;
        }
        let outcome = match when_full {
            WhenFull::Grow => "the pool grows",
            WhenFull::Drop => "frames are dropped",
        };
        gst::element_imp_warning!(
            self,
            gst::ResourceError::NoSpaceLeft,
            ("All {most} buffers of the pool are held downstream: {outcome} until some come home. Raise max-buffers, or \
              look for a queue or sink that holds them")
        );
    }

    /// Warns of frames that somebody wrote into after giving them back; `poison` finds them.
    pub(super) fn look_for_late_writes(&self) {
        let found = memory::figures().written_after_return;
        let before = self.with_state(|state| std::mem::replace(&mut state.late_writes, found));
        if before == Some(0) && found > 0 {
            gst::element_imp_warning!(
                self,
                gst::ResourceError::Failed,
                ("An element of this process wrote into a frame that it had given back (found by poison): what another \
                  one reads there is damaged. See the log category livetune-memory, and written-after-return in stats")
            );
        }
    }

    /// Posts a message about `trouble`, where there was none lately.
    pub(super) fn tell(&self, trouble: Trouble) {
        let now = clock::monotonic();
        let may = self.with_state(|state| state.may_tell(trouble, now));
        if may == Some(true) {
            self.post(trouble, |_| ());
        }
    }

    /// Some buffers are held for too long.
    pub(super) fn tell_overdue(&self, overdue: Overdue) {
        self.post(Trouble::BufferHeld, |structure| {
            structure.set("overdue", overdue.count);
            structure.set("oldest-age", nanos(overdue.oldest));
        });
    }

    fn post(&self, trouble: Trouble, add: impl FnOnce(&mut gst::StructureRef)) {
        if !lock(&self.settings).post_messages {
            return;
        }
        let mut structure = figures::structure(MESSAGE, &self.figures());
        structure.set("reason", trouble.text());
        add(&mut structure);
        let message = gst::message::Element::builder(structure).src(&*self.obj());
        let _ = self.obj().post_message(message.build());
    }

    /// Page faults of the process in this run, or in the last one.
    pub(super) fn page_faults(&self) -> u64 {
        let before = self.with_state(|state| state.faults_before);
        match before {
            Some(before) => faults::of_this_process().saturating_sub(before),
            None => lock(&self.ledger).counts().page_faults,
        }
    }

    /// What would help in this pipeline.
    pub(super) fn advice(&self) -> Advice {
        let page_faults = self.page_faults();
        let counts = lock(&self.ledger).counts();
        let sight = Sight {
            buffers: counts.buffers,
            bytes: counts.bytes,
            recycled: counts.recycled,
            upstream_pooled: counts.upstream_pooled,
            device: counts.device,
            page_faults,
            timeouts: counts.timeouts,
            low: counts.low,
            copies: counts.copies,
            process_allocator: memory::process::is_default(),
            recycled_from: memory::limits().min_size,
        };
        sight.advice()
    }
}

impl Observed for BufferRecycler {
    fn figures(&self) -> Vec<Figure> {
        let offered = self.with_state(|state| state.offered);
        let page_faults = self.page_faults();
        let now = clock::monotonic();
        let holdings = super::report::Holdings::of(&lock(&self.ledger), now);
        super::report::figures(
            &holdings,
            page_faults,
            offered.unwrap_or(Offered::NOTHING_YET),
        )
    }
}
