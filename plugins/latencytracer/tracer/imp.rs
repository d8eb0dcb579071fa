//! The GObject of the tracer: parameters, hooks and signals.

use std::sync::{LazyLock, OnceLock};

use gst::glib;
use gst::glib::subclass::Signal;
use gst::prelude::*;
use gst::subclass::prelude::*;
use livetune_core::time::MediaTime;

use super::attach;
use super::offset::Offset;
use super::params::Params;
use super::reports::Reports;
use crate::latencytracer::capture_meta;
use crate::latencytracer::output::model::Snapshot;
use crate::latencytracer::output::structure;
use crate::latencytracer::pipeline::{Outlet, links_changed, top};
use crate::runtime::guard::guard;

pub(super) static CAT: LazyLock<gst::DebugCategory> = LazyLock::new(|| {
    gst::DebugCategory::new(
        super::NAME,
        gst::DebugColorFlags::empty(),
        Some("Latency of every element of every pipeline"),
    )
});

#[derive(Default)]
pub struct LiveTuneTracer {
    params: OnceLock<Params>,
    offset: Offset,
    reports: Reports,
}

impl LiveTuneTracer {
    pub(super) fn reports(&self) -> &Reports {
        &self.reports
    }

    fn params(&self) -> &Params {
        self.params.get_or_init(Params::default)
    }

    fn take_in(&self, text: &str) {
        let (params, refused) = Params::parse(text);
        for refused in refused {
            warn(&refused.to_string());
        }
        if params.enabled {
            HOOKS
                .into_iter()
                .for_each(|hook| self.register_hook(hook()));
        }
        self.params.get_or_init(|| params);
    }

    /// Whether `pad` belongs to a pipeline that the filter lets pass.
    fn wants(&self, pad: &gst::Pad) -> bool {
        let params = self.params();
        if params.filter.is_none() {
            return true;
        }
        let top = pad.parent_element().and_then(|element| top(&element));
        top.is_some_and(|top| params.wants(&top.name()))
    }

    /// `top` goes from one state to another.
    fn on_state(&self, top: &gst::Bin, change: gst::StateChange, now: MediaTime) {
        if !self.params().wants(&top.name()) {
            return;
        }
        match change {
            gst::StateChange::ReadyToPaused => {
                if !self.reports.pipelines.add(top) {
                    // Another run: what it comes to is told at its own end.
                    attach::reset(top);
                }
                self.reports.start(&self.obj(), self.params().plan());
                links_changed();
            }
            gst::StateChange::PausedToPlaying => links_changed(),
            gst::StateChange::PausedToReady => {
                self.reports.on_end(top, now);
                self.reports.tell(true);
            }
            _ => (),
        }
    }
}

/// What is looked at: buffers, links, latencies, and how pipelines begin and end.
const HOOKS: [fn() -> TracerHook; 7] = [
    || TracerHook::PadPushPre,
    || TracerHook::PadPushListPre,
    || TracerHook::PadPushEventPre,
    || TracerHook::PadLinkPost,
    || TracerHook::PadUnlinkPost,
    || TracerHook::ElementChangeStatePre,
    || TracerHook::ElementPostMessagePre,
];

/// Says what is wrong as GStreamer's own tracers do, for users who see no log.
pub(super) fn warn(text: &str) {
    glib::g_warning!("livetune", "tracer livetune: {text}");
    gst::warning!(CAT, "{text}");
}

/// The bin that is in no other.
fn outermost(element: &gst::Element) -> Option<&gst::Bin> {
    let bin = element.downcast_ref::<gst::Bin>();
    bin.filter(|bin| bin.parent().is_none())
}

/// `buffer` leaves by the pad of `outlet`.
#[inline]
fn look(outlet: &Outlet, buffer: &gst::BufferRef, now: MediaTime) {
    let Some(frame) = outlet.on_buffer(buffer, now) else {
        return;
    };
    let raw = buffer.as_ptr().cast_mut();
    // SAFETY: a valid buffer.
    let writable = unsafe { gst::ffi::gst_mini_object_is_writable(raw.cast()) };
    if writable == glib::ffi::GFALSE {
        outlet.on_mark_refused();
        return;
    }
    // SAFETY: it has one owner, who is just pushing it and waits for this hook.
    capture_meta::add(unsafe { gst::BufferRef::from_mut_ptr(raw) }, frame);
}

#[glib::object_subclass]
impl ObjectSubclass for LiveTuneTracer {
    const NAME: &'static str = "GstLiveTuneTracer";
    type Type = super::LiveTuneTracer;
    type ParentType = gst::Tracer;
}

impl ObjectImpl for LiveTuneTracer {
    fn constructed(&self) {
        self.parent_constructed();
        guard("the start of the tracer livetune", (), || {
            let text = self.obj().property::<Option<String>>("params");
            self.take_in(&text.unwrap_or_default());
        });
    }

    fn signals() -> &'static [Signal] {
        static SIGNALS: LazyLock<Vec<Signal>> = LazyLock::new(|| {
            vec![
                Signal::builder("snapshot")
                    .action()
                    .return_type::<gst::Structure>()
                    .class_handler(|args| {
                        let tracer = args[0].get::<super::LiveTuneTracer>().ok()?;
                        let empty = Snapshot::default();
                        let snapshot = guard("a snapshot of the tracer livetune", empty, || {
                            tracer.imp().reports.snapshot()
                        });
                        Some(structure(&snapshot).to_value())
                    })
                    .build(),
                Signal::builder("reset")
                    .action()
                    .class_handler(|args| {
                        let tracer = args[0].get::<super::LiveTuneTracer>().ok()?;
                        guard("a reset of the tracer livetune", (), || {
                            tracer.imp().reports.reset();
                        });
                        None
                    })
                    .build(),
            ]
        });
        &SIGNALS
    }
}

impl GstObjectImpl for LiveTuneTracer {}

impl TracerImpl for LiveTuneTracer {
    fn pad_push_pre(&self, ts: u64, pad: &gst::Pad, buffer: &gst::Buffer) {
        guard("a buffer in the tracer livetune", (), || {
            let now = self.offset.apply(ts);
            attach::with_outlet(
                pad,
                |pad| self.wants(pad),
                |outlet| look(outlet, buffer, now),
            );
        });
    }

    fn pad_push_list_pre(&self, ts: u64, pad: &gst::Pad, list: &gst::BufferList) {
        guard("a buffer list in the tracer livetune", (), || {
            let now = self.offset.apply(ts);
            attach::with_outlet(
                pad,
                |pad| self.wants(pad),
                |outlet| {
                    for buffer in list.iter() {
                        look(outlet, buffer, now);
                    }
                },
            );
        });
    }

    fn pad_push_event_pre(&self, _ts: u64, pad: &gst::Pad, event: &gst::Event) {
        let gst::EventView::Latency(latency) = event.view() else {
            return;
        };
        guard("a latency in the tracer livetune", (), || {
            if let Some(before) = pad.peer() {
                attach::with_outlet(
                    &before,
                    |pad| self.wants(pad),
                    |outlet| outlet.on_latency(latency.latency().into()),
                );
            }
        });
    }

    fn pad_link_post(
        &self,
        ts: u64,
        _src: &gst::Pad,
        _sink: &gst::Pad,
        _result: Result<gst::PadLinkSuccess, gst::PadLinkError>,
    ) {
        guard("a link in the tracer livetune", (), || {
            self.offset.look(ts);
            links_changed();
        });
    }

    fn pad_unlink_post(&self, _ts: u64, _src: &gst::Pad, _sink: &gst::Pad, _success: bool) {
        guard("a link in the tracer livetune", (), links_changed);
    }

    fn element_change_state_pre(&self, ts: u64, element: &gst::Element, change: gst::StateChange) {
        guard("a change of state in the tracer livetune", (), || {
            if let Some(top) = outermost(element) {
                self.on_state(top, change, self.offset.apply(ts));
            }
        });
    }

    fn element_post_message_pre(&self, ts: u64, element: &gst::Element, message: &gst::Message) {
        if message.type_() != gst::MessageType::Eos {
            return;
        }
        guard("the end of a pipeline in the tracer livetune", (), || {
            let top = outermost(element);
            if let Some(top) = top.filter(|top| self.params().wants(&top.name())) {
                self.reports.on_end(top, self.offset.apply(ts));
                // The program may go on, or never take the pipeline apart.
                self.reports.tell(false);
            }
        });
    }
}
