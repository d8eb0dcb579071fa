//! The element: answers upstream's question, counts what passes, and touches no data.

use std::sync::{LazyLock, Mutex};

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::prelude::*;
use gst_base::subclass::prelude::*;
use livetune_core::recycle::{Answer, Decision, Downstream, Reason, Request, Sizing};

use super::pool::{RecyclingPool, SharedLedger};
use super::settings::{LARGEST_ALIGNMENT, MOST_BUFFERS, Settings};
use super::{proposal, report};
use crate::runtime::figures::{self, Figure};
use crate::runtime::guard::guard;
use crate::runtime::lock::lock;
use crate::runtime::pads;
use crate::runtime::stats::Stats;
use crate::runtime::telemetry::{self, Observed, Registration};

const FACTORY: &str = "bufferrecycler";
const DOWNSTREAM: &str = "downstream";
const STATS: &str = "application/x-livetune-bufferrecycler-stats";

static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        FACTORY,
        gst::DebugColorFlags::empty(),
        Some("Recycling of video buffers"),
    )
});

#[derive(Default, glib::Properties)]
#[properties(wrapper_type = super::BufferRecycler)]
pub struct BufferRecycler {
    #[property(
        name = "min-buffers",
        type = u32,
        member = min_buffers,
        get,
        set,
        minimum = 0,
        maximum = MOST_BUFFERS,
        default = Settings::DEFAULT.min_buffers,
        mutable_ready,
        nick = "Minimum buffers",
        blurb = "Buffers that the pool has from the start, each of the size of a frame; also raises the minimum of a \
                 pool or an advice from downstream, so that cameras and decoders allocate more (0 = as many as \
                 downstream asks for)"
    )]
    #[property(
        name = "max-buffers",
        type = u32,
        member = max_buffers,
        get,
        set,
        minimum = 0,
        maximum = MOST_BUFFERS,
        default = Settings::DEFAULT.max_buffers,
        mutable_ready,
        nick = "Maximum buffers",
        blurb = "Buffers of our pool that may be in use at once; upstream then waits until one comes home, for ever if \
                 downstream keeps them all. A pool of downstream keeps its own maximum, and ours in its place has the \
                 same (0 = unlimited)"
    )]
    #[property(
        name = "alignment",
        type = u32,
        member = alignment,
        get,
        set,
        minimum = 0,
        maximum = LARGEST_ALIGNMENT,
        default = Settings::DEFAULT.alignment,
        mutable_ready,
        nick = "Alignment",
        blurb = "Bytes that the address of each buffer is a multiple of, a power of two; up to 256 of strides too, \
                 where both neighbours support GstVideoMeta. Not applied to a pool of downstream that is kept (0 or 1 = none)"
    )]
    settings: Mutex<Settings>,
    state: Mutex<Option<State>>,
    #[property(
        name = "stats",
        type = Stats,
        get = Self::stats,
        nick = "Statistics",
        blurb = "Buffers made, reused and outstanding, bytes held, buffers that passed and how many of them came from \
                 our pool; which pool upstream was offered and why"
    )]
    ledger: SharedLedger,
}

/// Exists from READY→PAUSED to PAUSED→READY.
struct State {
    sizing: Sizing,
    offered: Offered,
    /// Upstream owns the pools; the old ones live until their last buffer is home.
    pools: Vec<glib::WeakRef<RecyclingPool>>,
    _registration: Registration,
}

/// Whose pool upstream was last offered.
#[derive(Clone, Copy)]
struct Offered {
    whose: &'static str,
    reason: Reason,
}

impl Offered {
    const NOTHING_YET: Self = Self {
        whose: "none",
        reason: Reason::NotAsked,
    };

    fn new(request: &Request, decision: &Decision) -> Self {
        let whose = match (decision.answer, request.downstream) {
            (Answer::OwnPool(_), _) => "own",
            (_, Downstream::Pool(_) | Downstream::PlainPool(_)) => DOWNSTREAM,
            _ => "none",
        };
        Self {
            whose,
            reason: decision.reason,
        }
    }
}

impl BufferRecycler {
    fn sizing(&self) -> Result<Sizing, gst::ErrorMessage> {
        let settings = *lock(&self.settings);
        settings
            .sizing()
            .map_err(|error| gst::error_msg!(gst::LibraryError::Settings, ("{error}")))
    }

    /// Answers `query`, which downstream has already seen; whether anything was added to it.
    fn answer(
        &self,
        query: &mut gst::query::Allocation,
        sizing: &Sizing,
    ) -> Result<bool, gst::LoggableError> {
        let request = proposal::request(query);
        let decision = sizing.answer(&request);
        let pool = proposal::apply(query, decision.answer, sizing, &self.ledger)?;
        let offered = Offered::new(&request, &decision);
        let aligned = sizing.address_mask() > 0 && offered.whose != DOWNSTREAM;
        if aligned {
            proposal::align(query, sizing.address_mask());
        }
        gst::info!(CAT, imp = self, "asked {request:?}, answered {decision:?}");
        self.remember(offered, pool.as_ref());
        Ok(aligned || decision.answer != Answer::Leave)
    }

    /// Keeps track of what was `offered`. An element that stopped meanwhile lets nobody wait at its `pool`.
    fn remember(&self, offered: Offered, pool: Option<&RecyclingPool>) {
        let runs = lock(&self.state).as_mut().map(|state| {
            state.offered = offered;
            state.pools.retain(|pool| pool.upgrade().is_some());
            state.pools.extend(pool.map(ObjectExt::downgrade));
        });
        if runs.is_none()
            && let Some(pool) = pool
        {
            pool.retire();
        }
    }

    fn stats(&self) -> Stats {
        let empty = Stats(gst::Structure::new_empty(STATS));
        guard("bufferrecycler's stats", empty, || {
            Stats(figures::structure(STATS, &self.figures()))
        })
    }
}

impl Observed for BufferRecycler {
    fn figures(&self) -> Vec<Figure> {
        let offered = lock(&self.state)
            .as_ref()
            .map_or(Offered::NOTHING_YET, |state| state.offered);
        let ledger = *lock(&self.ledger);
        report::figures(&ledger, offered.whose, offered.reason)
    }
}

#[glib::object_subclass]
impl ObjectSubclass for BufferRecycler {
    const NAME: &'static str = "GstLiveTuneBufferRecycler";
    type Type = super::BufferRecycler;
    type ParentType = gst_base::BaseTransform;
    type Interfaces = (gst::Preset,);
}

#[glib::derived_properties]
impl ObjectImpl for BufferRecycler {
    fn constructed(&self) {
        self.parent_constructed();
        let element = self.obj();
        element.set_in_place(true);
        element.set_passthrough(true);
    }
}

impl GstObjectImpl for BufferRecycler {}

impl PresetImpl for BufferRecycler {}

impl ElementImpl for BufferRecycler {
    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
        static METADATA: LazyLock<gst::subclass::ElementMetadata> = LazyLock::new(|| {
            gst::subclass::ElementMetadata::new(
                "Buffer recycler",
                "Generic",
                "Offers upstream a buffer pool so that video frames reuse memory, and counts what is reused; passes \
                 all data unchanged",
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
    const TRANSFORM_IP_ON_PASSTHROUGH: bool = true;

    fn start(&self) -> Result<(), gst::ErrorMessage> {
        let sizing = self.sizing()?;
        lock(&self.ledger).begin_run();
        let state = State {
            sizing,
            offered: Offered::NOTHING_YET,
            pools: Vec::new(),
            _registration: telemetry::register(self, FACTORY, None),
        };
        *lock(&self.state) = Some(state);
        Ok(())
    }

    fn stop(&self) -> Result<(), gst::ErrorMessage> {
        let stopped = lock(&self.state).take();
        let pools = stopped.iter().flat_map(|state| &state.pools);
        pools
            .filter_map(glib::WeakRef::upgrade)
            .for_each(|pool| pool.retire());
        Ok(())
    }

    fn propose_allocation(
        &self,
        decide_query: Option<&gst::query::Allocation>,
        query: &mut gst::query::Allocation,
    ) -> Result<(), gst::LoggableError> {
        let downstream = self.parent_propose_allocation(decide_query, query);
        let Some(sizing) = lock(&self.state).as_ref().map(|state| state.sizing) else {
            return downstream;
        };
        match self.answer(query, &sizing)? {
            true => Ok(()),
            false => downstream,
        }
    }

    fn transform_ip_passthrough(
        &self,
        buffer: &gst::Buffer,
    ) -> Result<gst::FlowSuccess, gst::FlowError> {
        let recycled = RecyclingPool::made(&self.ledger, buffer);
        lock(&self.ledger).on_passed(buffer.size() as u64, recycled);
        Ok(gst::FlowSuccess::Ok)
    }
}
