//! The GObject of the tracer: parameters, hooks and signals.

use std::sync::{LazyLock, OnceLock};

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use livetune_core::time::MediaTime;

use super::attach::{self, Traced};
use super::offset::Offset;
use super::params::{Params, When};
use super::pipelines::Pipelines;
use crate::latencytracer::capture_meta;
use crate::latencytracer::output::model::Path;
use crate::latencytracer::pipeline::{Outlet, Span, links_changed, survey, top};
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
    pipelines: Pipelines,
}

impl LiveTuneTracer {
    fn params(&self) -> &Params {
        self.params.get_or_init(Params::default)
    }

    /// Every way through `top`, and what it came to.
    fn survey(&self, top: &gst::Bin, span: Span, now: MediaTime) -> Vec<Path> {
        survey(&Traced, top, &self.pipelines.name(top), span, now)
    }

    fn on_push(&self, pad: &gst::Pad, buffer: &gst::Buffer, now: MediaTime) {
        attach::with_outlet(
            pad,
            |pad| self.wants(pad),
            |outlet| look(outlet, buffer, now),
        );
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
        match change {
            gst::StateChange::ReadyToPaused => {
                self.pipelines.add(top);
                links_changed();
            }
            gst::StateChange::PausedToPlaying => links_changed(),
            gst::StateChange::PausedToReady => self.on_end(top, now),
            _ => (),
        }
    }

    fn on_end(&self, top: &gst::Bin, now: MediaTime) {
        if self.params().report == When::Never || !self.params().wants(&top.name()) {
            return;
        }
        let paths = self.survey(top, Span::End, now);
        print(&paths);
    }
}

#[expect(clippy::print_stderr, reason = "stands in until there is the table")]
fn print(paths: &[Path]) {
    for path in paths {
        eprintln!(
            "{}: {} -> {} remainder {} {:?}",
            path.pipeline, path.source, path.sink, path.remainder, path.bottleneck
        );
        for stage in path.stages.iter().chain([&path.end]) {
            eprintln!(
                "  {:20} {:3.0} % transit {:?} p99 {:?} age {:?} count {} {:?} fill {:?}",
                stage.name,
                stage.share.as_f64() * 100.0,
                stage.figures.transit.mean,
                stage.figures.transit.p99,
                stage.figures.age.mean,
                stage.figures.age.count,
                stage.figures.counts,
                stage.queue.then_some(stage.fill),
            );
        }
    }
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
            let (params, refused) = Params::parse(&text.unwrap_or_default());
            for refused in refused {
                glib::g_warning!("livetune", "tracer livetune: {refused}");
                gst::warning!(CAT, imp = self, "{refused}");
            }
            if params.enabled {
                for hook in [
                    TracerHook::PadPushPre,
                    TracerHook::PadPushListPre,
                    TracerHook::PadLinkPost,
                    TracerHook::PadUnlinkPost,
                    TracerHook::ElementChangeStatePre,
                ] {
                    self.register_hook(hook);
                }
            }
            self.params.get_or_init(|| params);
        });
    }
}

impl GstObjectImpl for LiveTuneTracer {}

impl TracerImpl for LiveTuneTracer {
    fn pad_push_pre(&self, ts: u64, pad: &gst::Pad, buffer: &gst::Buffer) {
        guard("a buffer in the tracer livetune", (), || {
            self.on_push(pad, buffer, self.offset.apply(ts));
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

    fn pad_link_post(
        &self,
        ts: u64,
        _src: &gst::Pad,
        _sink: &gst::Pad,
        _result: Result<gst::PadLinkSuccess, gst::PadLinkError>,
    ) {
        self.offset.look(ts);
        links_changed();
    }

    fn pad_unlink_post(&self, _ts: u64, _src: &gst::Pad, _sink: &gst::Pad, _success: bool) {
        links_changed();
    }

    fn element_change_state_pre(&self, ts: u64, element: &gst::Element, change: gst::StateChange) {
        guard("a change of state in the tracer livetune", (), || {
            let top = element
                .downcast_ref::<gst::Bin>()
                .filter(|bin| bin.parent().is_none());
            if let Some(top) = top {
                self.on_state(top, change, self.offset.apply(ts));
            }
        });
    }
}
