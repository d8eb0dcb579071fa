//! The way of buffers, caps and states through the element.

use std::sync::LazyLock;

use gst::glib::translate::from_glib_full;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::subclass::base_transform::GenerateOutputSuccess;
use gst_base::subclass::prelude::*;
use livetune_core::recycle::{CopyPolicy, Origin, Sizing, Supply};

use super::imp::{BufferRecycler, CAT};
use super::pool::{Lent, RecyclingPool};
use super::say::Trouble;
use super::settings::Settings;
use super::state::{State, Ties};
use super::upstream::{self, Known, PoolId};
use super::watch::Watch;
use super::{copying, faults, held, memory, proposal};
use crate::runtime::lock::lock;
use crate::runtime::{pads, telemetry};

/// Frames that `prefault` makes ready where the minimum is lower: one is read while the next is written.
const FEWEST_READY: u32 = 2;

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

    /// The buffer that came, once. The binding's own function takes the lock of the stream again for it, twice a buffer.
    fn take_input(&self) -> Option<gst::Buffer> {
        let transform: *mut gst_base::ffi::GstBaseTransform = self.obj().as_ptr().cast();
        // SAFETY: GstBaseTransform asks for output with the lock of its stream held, which guards the field; the field
        // holds a reference, which is ours from here on, or nothing.
        unsafe {
            from_glib_full(std::mem::replace(
                &mut (*transform).queued_buf,
                std::ptr::null_mut(),
            ))
        }
    }

    /// What goes on downstream in the place of `buffer`; nothing where it is dropped.
    fn pass(&self, buffer: gst::Buffer) -> Option<gst::Buffer> {
        let bytes = buffer.size() as u64;
        if let Some(lent) = RecyclingPool::lent(&self.ledger, &buffer) {
            self.on_ours(bytes, lent);
            // A buffer that ends here goes home, and its pool wants the books: they are not locked by now.
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
                self.on_supply(Supply::Low);
            }
            return Some(self.copy(buffer, judgement.align));
        }
        if policy.counts(capacity) {
            self.on_supply(policy.supply(capacity, held));
            return Some(held::follow(buffer, &self.ledger));
        }
        Some(buffer)
    }

    fn on_ours(&self, bytes: u64, lent: Lent) {
        let mut ledger = lock(&self.ledger);
        ledger.on_passed(bytes, Origin::Ours);
        if lent.beyond_maximum {
            ledger.on_dropped();
        }
    }

    fn judge(&self, buffer: &gst::BufferRef) -> Option<Judgement> {
        let pool = upstream::pool_of(buffer);
        let (known, mut judgement) = self.with_state(|state| {
            let judgement = Judgement {
                origin: state.upstream.origin(pool),
                policy: state.policy,
                capacity: None,
                align: state.sizing.address_mask(),
            };
            (state.upstream.capacity(pool), judgement)
        })?;
        judgement.capacity = match known {
            Known::Capacity(capacity) => capacity,
            Known::NotYet => self.learn_capacity(buffer, pool),
        };
        Some(judgement)
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

    /// What upstream's own pool has left now.
    fn on_supply(&self, supply: Supply) {
        let before = self.with_state(|state| std::mem::replace(&mut state.upstream.supply, supply));
        let Some(before) = before.filter(|before| supply > *before) else {
            return;
        };
        if before == Supply::Enough {
            lock(&self.ledger).on_low();
        }
        self.tell(match supply {
            Supply::Dry => Trouble::UpstreamDry,
            _ => Trouble::UpstreamLow,
        });
    }

    /// Frames of so many bytes come.
    fn make_room(&self, settings: &Settings, frame: u32) {
        let wish = memory::configure(settings.limits(frame.into()));
        // The old one goes after the new one holds, and when no lock is held.
        let old = self.with_state(|state| std::mem::replace(&mut state.wish, wish));
        drop(old);
        if settings.prefault {
            let count = settings.first_buffers().max(FEWEST_READY);
            let made = memory::reserve(frame.into(), count as usize);
            gst::debug!(
                CAT,
                imp = self,
                "{made} blocks of {frame} bytes were made ready"
            );
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
            // Before upstream allocates anything: a copy is made by the allocator of the original.
            let wanted = lock(&self.settings).process_allocator;
            let lease = wanted.then(memory::process::install);
            *lock(&self.lease) = lease;
        }
        let changed = self.parent_change_state(transition);
        let failed = transition == gst::StateChange::NullToReady && changed.is_err();
        if transition == gst::StateChange::ReadyToNull || failed {
            let lease = lock(&self.lease).take();
            drop(lease);
        }
        changed
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
            wish: memory::configure(settings.limits(0)),
        };
        let state = State::new(settings, sizing, faults::of_this_process(), ties);
        *lock(&self.state) = Some(state);
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        let page_faults = self.page_faults();
        lock(&self.ledger).end_run(page_faults);
        let stopped = lock(&self.state).take();
        let pools = stopped.as_ref().map(State::live_pools).unwrap_or_default();
        pools.iter().for_each(RecyclingPool::retire);
        Ok(())
    }

    fn set_caps(&self, caps: &gst::Caps, out: &gst::Caps) -> Result<(), gst::LoggableError> {
        self.check_room(caps)?;
        let on_device = proposal::on_device(caps);
        let settings = self.with_state(|state| {
            state.upstream.forget();
            state.upstream.on_device = on_device;
            state.settings
        });
        if let (Some(settings), Some(frame)) = (settings, proposal::frame_size(caps)) {
            self.make_room(&settings, frame);
        }
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
        let Some(buffer) = self.take_input() else {
            return Ok(GenerateOutputSuccess::NoOutput);
        };
        Ok(self.pass(buffer).map_or(
            GenerateOutputSuccess::Dropped,
            GenerateOutputSuccess::Buffer,
        ))
    }
}
