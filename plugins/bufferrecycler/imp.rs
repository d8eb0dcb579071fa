//! The GObject of bufferrecycler: its properties. What it does is in `dataflow`.

use std::sync::{LazyLock, Mutex};

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use gst_base::ffi::GstBaseTransformClass;
use gst_base::prelude::*;

use super::memory::process::Lease;
use super::options::{CopyOut, Propose, Role, WhenFull};
use super::pool::SharedLedger;
use super::report;
use super::settings::{LARGEST_ALIGNMENT, LONGEST_MILLIS, LONGEST_WAIT, MOST_BUFFERS, Settings};
use super::state::State;
use crate::runtime::figures;
use crate::runtime::guard::guard;
use crate::runtime::lock::lock;
use crate::runtime::stats::Stats;
use crate::runtime::telemetry::Observed;

pub(super) static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        super::FACTORY,
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
        blurb = "Buffers that the pool has from the start and keeps, each of the size of a frame; also raises the \
                 minimum of a pool or an advice from downstream, so that cameras and decoders allocate more (0 = as \
                 the role says, else as many as downstream asks for)"
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
        blurb = "Buffers of our pool that may be in use at once; upstream then waits until one comes home, as long \
                 as max-wait says. A pool of downstream keeps its own maximum, and ours in its place has the same \
                 (0 = unlimited)"
    )]
    #[property(
        name = "extra-buffers",
        type = u32,
        member = extra_buffers,
        get,
        set,
        minimum = 0,
        maximum = MOST_BUFFERS,
        default = Settings::DEFAULT.extra_buffers,
        mutable_ready,
        nick = "Extra buffers",
        blurb = "Buffers that upstream is asked to have beyond what downstream asks for, for what queues behind \
                 this element hold: they never ask for it. Cameras (v4l2src) and decoders allocate them; a maximum \
                 is never raised (0 = none)"
    )]
    #[property(
        name = "buffer-size",
        type = u32,
        member = buffer_size,
        get,
        set,
        minimum = 0,
        default = Settings::DEFAULT.buffer_size,
        mutable_ready,
        nick = "Buffer size",
        blurb = "Bytes of a buffer that upstream is advised of where the caps do not tell them: encoded video, \
                 packets (0 = as the role says, else no advice)"
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
                 where both neighbours support GstVideoMeta. Not applied to a pool of downstream that is kept (0 = \
                 as the role says, else none; 1 = none)"
    )]
    #[property(
        name = "role",
        type = Role,
        member = role,
        get,
        set,
        mutable_ready,
        nick = "Role",
        blurb = "What the buffers are for: sets min-buffers, buffer-size and alignment where they are 0",
        builder(Settings::DEFAULT.role)
    )]
    #[property(
        name = "propose",
        type = Propose,
        member = propose,
        get,
        set,
        mutable_ready,
        nick = "Propose",
        blurb = "What upstream is offered where downstream offers nothing special",
        builder(Settings::DEFAULT.propose)
    )]
    #[property(
        name = "max-wait",
        type = u32,
        member = max_wait,
        get,
        set,
        maximum = LONGEST_WAIT,
        default = Settings::DEFAULT.max_wait,
        mutable_ready,
        nick = "Maximum wait",
        blurb = "How long, in ms, upstream waits at the maximum of our pool, until when-full decides; after that \
                 nobody waits before a buffer came home (0 = not at all)"
    )]
    #[property(
        name = "when-full",
        type = WhenFull,
        member = when_full,
        get,
        set,
        mutable_ready,
        nick = "When full",
        blurb = "What happens when upstream waited at the maximum of our pool in vain; there is one warning on the \
                 bus",
        builder(Settings::DEFAULT.when_full)
    )]
    #[property(
        name = "copy-out",
        type = CopyOut,
        member = copy_out,
        get,
        set,
        mutable_ready,
        nick = "Copy out",
        blurb = "When frames are copied into recycled memory, so that upstream has its buffer back at once. \
                 Upstream runs low when its pool has a maximum and all but two of its buffers are held downstream, \
                 which is counted and told of also where nothing is copied; a frame in memory of a device is never \
                 copied",
        builder(Settings::DEFAULT.copy_out)
    )]
    #[property(
        name = "copy-threshold",
        type = u32,
        member = copy_threshold,
        get,
        set,
        maximum = MOST_BUFFERS,
        default = Settings::DEFAULT.copy_threshold,
        mutable_ready,
        nick = "Copy threshold",
        blurb = "Buffers of upstream that downstream may hold before it counts as low and copy-out=when-low copies, \
                 also where it is not known how many upstream has (0 = all but two of a pool that has a maximum)"
    )]
    #[property(
        name = "process-allocator",
        type = bool,
        member = process_allocator,
        get,
        set,
        default = Settings::DEFAULT.process_allocator,
        mutable_ready,
        nick = "Process allocator",
        blurb = "Make the recycling allocator GStreamer's default while this element runs: for all pipelines of the \
                 process, until the last such element stops. Helps elements that allocate each frame, where the \
                 allocator of the process takes new memory for it: above 32 MiB with glibc, from a few MiB with \
                 musl or jemalloc"
    )]
    #[property(
        name = "max-pooled-bytes",
        type = u64,
        member = max_pooled_bytes,
        get,
        set,
        default = Settings::DEFAULT.max_pooled_bytes,
        mutable_ready,
        nick = "Maximum of pooled bytes",
        blurb = "Memory, in bytes, that may lie unused: in each pool of this element, and in the recycling \
                 allocator, where the largest wish of all elements of the process counts (0 = 256 MiB, or two \
                 frames where that is more)"
    )]
    #[property(
        name = "idle-trim",
        type = u32,
        member = idle_trim,
        get,
        set,
        maximum = LONGEST_MILLIS,
        default = Settings::DEFAULT.idle_trim,
        mutable_ready,
        nick = "Idle trim",
        blurb = "After how long, in ms, memory that nobody needed is given back to the system, as after a stall: half of \
                 it in the pool, half of it in the recycling allocator, whose largest wish in the process counts (0 = never)"
    )]
    #[property(
        name = "min-size",
        type = u32,
        member = min_size,
        get,
        set,
        default = Settings::DEFAULT.min_size,
        mutable_ready,
        nick = "Minimum size",
        blurb = "Bytes from which the recycling allocator recycles, at least 32 KiB; what is smaller is left to malloc"
    )]
    #[property(
        name = "prefault",
        type = bool,
        member = prefault,
        get,
        set,
        default = Settings::DEFAULT.prefault,
        mutable_ready,
        nick = "Prefault",
        blurb = "Touch new memory of the recycling allocator when it is made, so that the first frame in it takes \
                 no page faults"
    )]
    #[property(
        name = "huge-pages",
        type = bool,
        member = huge_pages,
        get,
        set,
        default = Settings::DEFAULT.huge_pages,
        mutable_ready,
        nick = "Huge pages",
        blurb = "Ask for huge pages for blocks of 4 MiB or more of the recycling allocator: fewer page faults for \
                 new memory, but more memory and slower encoding where frames are only partly filled"
    )]
    #[property(
        name = "poison",
        type = bool,
        member = poison,
        get,
        set,
        default = Settings::DEFAULT.poison,
        mutable_ready,
        nick = "Poison",
        blurb = "For debugging: fill memory that comes back with a pattern and check it before it is used again; \
                 who writes into a frame that it gave back is told of by a warning in the log and a counter"
    )]
    #[property(
        name = "hold-warning",
        type = u32,
        member = hold_warning,
        get,
        set,
        maximum = LONGEST_MILLIS,
        default = Settings::DEFAULT.hold_warning,
        mutable_playing,
        nick = "Hold warning",
        blurb = "How long, in ms, a buffer may be out before a livetune-buffers message tells of it, once for each \
                 buffer (0 = for ever)"
    )]
    #[property(
        name = "post-messages",
        type = bool,
        member = post_messages,
        get,
        set,
        default = Settings::DEFAULT.post_messages,
        mutable_playing,
        nick = "Post messages",
        blurb = "Post livetune-buffers messages on the bus: a pool ran dry, upstream's own pool ran low or dry, a \
                 buffer is held for too long"
    )]
    pub(super) settings: Mutex<Settings>,
    pub(super) state: Mutex<Option<State>>,
    /// From NULL→READY to READY→NULL, where our allocator is the default.
    pub(super) lease: Mutex<Option<Lease>>,
    #[property(
        name = "stats",
        type = Stats,
        get = Self::stats,
        nick = "Statistics",
        blurb = "What our pools allocated, reused, hold and gave back, what passed and where its memory came from, what \
                 was copied and dropped, which pool upstream was offered and why, page faults of the process"
    )]
    #[property(
        name = "advise",
        type = Option<String>,
        get = Self::advise,
        nick = "Advice",
        blurb = "What would help in this pipeline, from what was counted so far; also that nothing would"
    )]
    pub(super) ledger: SharedLedger,
}

impl BufferRecycler {
    fn stats(&self) -> Stats {
        let empty = Stats(gst::Structure::new_empty(report::STATS));
        guard("bufferrecycler's stats", empty, || {
            Stats(figures::structure(report::STATS, &self.figures()))
        })
    }

    fn advise(&self) -> Option<String> {
        guard("bufferrecycler's advice", None, || {
            Some(self.advice().to_string())
        })
    }

    /// Has `action` done to the state, where there is one.
    pub(super) fn with_state<R>(&self, action: impl FnOnce(&mut State) -> R) -> Option<R> {
        lock(&self.state).as_mut().map(action)
    }
}

#[glib::object_subclass]
impl ObjectSubclass for BufferRecycler {
    const NAME: &'static str = "GstLiveTuneBufferRecycler";
    type Type = super::BufferRecycler;
    type ParentType = gst_base::BaseTransform;
    type Interfaces = (gst::Preset,);

    /// What is left to GstBaseTransform for each buffer is called there, and not by way of the binding: that costs more
    /// than all that this element does with a buffer.
    fn class_init(class: &mut Self::Class) {
        let class: *mut GstBaseTransformClass = std::ptr::from_mut(class).cast();
        // SAFETY: the class begins with that of its parent, which is there and never changes.
        unsafe {
            let parent = glib::gobject_ffi::g_type_class_peek_parent(class.cast());
            let parent = parent.cast::<GstBaseTransformClass>();
            (*class).submit_input_buffer = (*parent).submit_input_buffer;
            (*class).before_transform = (*parent).before_transform;
        }
    }
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
