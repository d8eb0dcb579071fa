//! What upstream is offered.

use gst::prelude::*;
use gst::subclass::prelude::*;

use super::imp::{BufferRecycler, CAT};
use super::pool::{Plan, RecyclingPool};
use super::state::{Offered, State};
use super::{memory, proposal};

impl BufferRecycler {
    /// Answers `query`, which downstream has already seen; whether anything was added to it.
    pub(super) fn answer(
        &self,
        query: &mut gst::query::Allocation,
    ) -> Result<bool, gst::LoggableError> {
        let wishes = self.with_state(|state| (state.sizing, state.settings.propose));
        let Some((sizing, propose)) = wishes else {
            return Ok(false);
        };
        let request = proposal::request(query);
        let decision = sizing.answer(&request);
        let frame = u64::from(request.frame_size.unwrap_or(0));
        let plan = self.with_state(|state| self.plan(state, frame));
        let pool = proposal::apply(query, decision.answer, plan.unwrap_or_default())?;
        let offered = Offered::new(&request, &decision);
        let aligned = sizing.address_mask() > 0 && offered.whose != Offered::DOWNSTREAM;
        if aligned {
            proposal::align(query, sizing.address_mask());
        }
        let allocates =
            propose.allocator() && proposal::offer_allocator(query, memory::shared().upcast_ref());
        gst::info!(CAT, imp = self, "asked {request:?}, answered {decision:?}");
        let changed =
            aligned || allocates || decision.answer != livetune_core::recycle::Answer::Leave;
        self.remember(offered, pool.as_ref());
        Ok(changed)
    }

    /// What our pool for frames of so many bytes is to be like.
    fn plan(&self, state: &State, frame: u64) -> Plan {
        let settings = &state.settings;
        Plan {
            ledger: self.ledger.clone(),
            owner: ObjectExt::downgrade(&*self.obj()),
            address_mask: state.sizing.address_mask(),
            stride_mask: state.sizing.stride_mask(),
            patience: settings.patience(),
            when_full: settings.when_full,
            window: settings.window(),
            most_free: state.room.bytes(frame),
        }
    }

    /// Keeps track of what was `offered`. An element that stopped meanwhile lets nobody wait at its `pool`.
    fn remember(&self, offered: Offered, pool: Option<&RecyclingPool>) {
        let runs = self.with_state(|state| {
            state.offered = offered;
            state.upstream.forget();
            state.pools.retain(|pool| pool.upgrade().is_some());
            state.pools.extend(pool.map(ObjectExt::downgrade));
        });
        if runs.is_none()
            && let Some(pool) = pool
        {
            pool.retire();
        }
    }
}
