//! The way of buffers, caps and states through the element.

use std::sync::LazyLock;

use gst::subclass::prelude::*;
use gst_base::subclass::base_transform::GenerateOutputSuccess;
use gst_base::subclass::prelude::*;
use livetune_core::recycle::{CopyPolicy, Origin, Sizing};

use super::imp::{BufferRecycler, CAT};
use super::pool::RecyclingPool;
use super::say::Trouble;
use super::state::{State, Ties};
use super::upstream::{self, Known, PoolId};
use super::watch::Watch;
use super::{copying, faults, held, proposal};
use crate::runtime::lock::lock;
use crate::runtime::{clock, pads, telemetry};

/// What to do with a buffer.
struct Judgement {
    origin: Origin,
    policy: CopyPolicy,
    capacity: Option<u32>,
    align: u32,
}

impl BufferRecycler {
    pub(super) fn sizing(&self) -> Result<Sizing, gst::ErrorMessage> {
        let settings = *lock(&self.settings);
        settings
            .sizing()
            .map_err(|error| gst::error_msg!(gst::LibraryError::Settings, ("{error}")))
    }

    /// What goes on downstream in the place of `buffer`; nothing where it is dropped.
    fn pass(&self, buffer: gst::Buffer) -> Option<gst::Buffer> {
        let bytes = buffer.size() as u64;
        if let Some(lent) = RecyclingPool::lent(&self.ledger, &buffer) {
            let mut ledger = lock(&self.ledger);
            ledger.on_passed(bytes, Origin::Ours);
            if lent.beyond_maximum {
                ledger.on_dropped();
            }
            return (!lent.beyond_maximum).then_some(buffer);
        }
        let Some(judgement) = self.judge(&buffer) else {
            return Some(buffer);
        };
        let held = {
            let mut ledger = lock(&self.ledger);
            ledger.on_passed(bytes, judgement.origin);
            u32::try_from(ledger.held()).unwrap_or(u32::MAX)
        };
        let (policy, capacity) = (judgement.policy, judgement.capacity);
        if judgement.origin == Origin::Device {
            return Some(buffer);
        }
        if policy.copies(capacity, held) {
            if policy.counts(capacity) {
                self.on_low(true);
            }
            return Some(self.copy(buffer, judgement.align));
        }
        if policy.counts(capacity) {
            self.on_low(false);
            return Some(held::follow(buffer, &self.ledger));
        }
        Some(buffer)
    }

    fn judge(&self, buffer: &gst::BufferRef) -> Option<Judgement> {
        let pool = upstream::pool_of(buffer);
        let known = self.with_state(|state| state.upstream.capacity(pool))?;
        let capacity = match known {
            Known::Capacity(capacity) => capacity,
            Known::NotYet => self.learn_capacity(buffer, pool),
        };
        self.with_state(|state| Judgement {
            origin: state.upstream.origin(pool),
            policy: state.policy,
            capacity,
            align: state.sizing.address_mask(),
        })
    }

    fn learn_capacity(&self, buffer: &gst::BufferRef, pool: Option<PoolId>) -> Option<u32> {
        let capacity = upstream::ask_capacity(buffer);
        gst::debug!(
            CAT,
            imp = self,
            "upstream has a pool of {capacity:?} buffers"
        );
        self.with_state(|state| pool.map(|id| state.upstream.learn(id, capacity)));
        capacity
    }

    /// A copy of `buffer` in recycled memory; itself where that cannot be had.
    fn copy(&self, buffer: gst::Buffer, align: u32) -> gst::Buffer {
        match copying::copy(&buffer, align) {
            Ok(copy) => {
                lock(&self.ledger).on_copied(copy.size() as u64);
                copy
            }
            Err(error) => {
                gst::debug!(CAT, imp = self, "a frame is not copied: {error}");
                buffer
            }
        }
    }

    /// Upstream's own pool is low, or not.
    fn on_low(&self, low: bool) {
        let began = self.with_state(|state| !std::mem::replace(&mut state.upstream.is_low, low));
        if low && began == Some(true) {
            lock(&self.ledger).on_low();
            self.tell(Trouble::UpstreamLow);
        }
    }

    /// Whether memory may hold frames of `caps`.
    fn check_room(&self, caps: &gst::CapsRef) -> Result<(), gst::LoggableError> {
        let Some(frame) = proposal::frame_size(caps) else {
            return Ok(());
        };
        let settings = *lock(&self.settings);
        let checked = settings
            .room()
            .check(frame.into(), settings.first_buffers());
        checked.map_err(|error| {
            gst::element_imp_error!(self, gst::LibraryError::Settings, ("{error}"));
            gst::loggable_error!(CAT, "{error}")
        })
    }
}

impl ElementImpl for BufferRecycler {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Buffer recycler",
                "Generic",
                "Has video frames reuse memory: offers upstream a buffer pool that shrinks again, asks cameras for more \
                 capture buffers, copies frames out of scarce pools, recycles memory of the process; counts all of it",
                "livetune developers",
            )
        });
        Some(&METADATA)
    }

    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> =
            LazyLock::new(|| pads::always(&gst::Caps::new_any()));
        &TEMPLATES
    }

    fn change_state(
        &self,
        transition: gst::StateChange,
    ) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
        if transition == gst::StateChange::NullToReady {
            self.sizing().map_err(|error| {
                self.post_error_message(error);
                gst::StateChangeError
            })?;
        }
        self.parent_change_state(transition)
    }
}

impl BaseTransformImpl for BufferRecycler {
    const MODE: gst_base::subclass::BaseTransformMode =
        gst_base::subclass::BaseTransformMode::AlwaysInPlace;
    const PASSTHROUGH_ON_SAME_CAPS: bool = true;
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = false;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let sizing = self.sizing()?;
        let settings = *lock(&self.settings);
        lock(&self.ledger).begin_run();
        let ties = Ties {
            watch: Watch::begin(&self.obj()).map_err(|error| {
                gst::error_msg!(
                    gst::ResourceError::NoSpaceLeft,
                    ("No thread could be started ({error}): the process or the system has too many")
                )
            })?,
            registration: telemetry::register(self, super::FACTORY, None),
        };
        let state = State::new(settings, sizing, faults::of_this_process(), ties);
        *lock(&self.state) = Some(state);
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        let stopped = lock(&self.state).take();
        let pools = stopped.as_ref().map(State::live_pools).unwrap_or_default();
        pools.iter().for_each(RecyclingPool::retire);
        Ok(())
    }

    fn set_caps(&self, caps: &gst::Caps, out: &gst::Caps) -> Result<(), gst::LoggableError> {
        self.check_room(caps)?;
        let on_device = proposal::on_device(caps);
        self.with_state(|state| {
            state.upstream.forget();
            state.upstream.on_device = on_device;
        });
        self.parent_set_caps(caps, out)
    }

    fn propose_allocation(
        &self,
        decide_query: Option<&gst::query::Allocation>,
        query: &mut gst::query::Allocation,
    ) -> Result<(), gst::LoggableError> {
        let downstream = self.parent_propose_allocation(decide_query, query);
        match self.answer(query)? {
            true => Ok(()),
            false => downstream,
        }
    }

    fn generate_output(&self) -> Result<GenerateOutputSuccess, gst::FlowError> {
        let Some(buffer) = self.take_queued_buffer() else {
            return Ok(GenerateOutputSuccess::NoOutput);
        };
        Ok(self.pass(buffer).map_or(
            GenerateOutputSuccess::Dropped,
            GenerateOutputSuccess::Buffer,
        ))
    }
}

/// What the watch does.
impl BufferRecycler {
    /// Some time passed: unused memory goes, and who holds a buffer for too long is told of.
    pub(super) fn on_time(&self) {
        let now = clock::monotonic();
        let pools = self
            .with_state(|state| state.live_pools())
            .unwrap_or_default();
        pools.iter().for_each(|pool| pool.trim(now));
        let Some(limit) = lock(&self.settings).longest_hold() else {
            return;
        };
        let overdue = lock(&self.ledger).overdue(limit, now);
        if let Some(overdue) = overdue {
            self.tell_overdue(overdue);
        }
    }
}
