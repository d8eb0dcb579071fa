//! What the element says: warnings, errors, messages, and events upstream.

use std::time::Duration;

use gst::prelude::*;
use gst::subclass::prelude::*;

use super::imp::{CAT, GpuInfer};
use crate::runtime::wire::Load;

impl GpuInfer {
    pub(super) fn warn_all(&self, warnings: &[String]) {
        for warning in warnings {
            gst::element_imp_warning!(self, gst::LibraryError::Settings, ("{warning}"));
        }
    }

    /// A frame goes on without objects, for the `first` time or again.
    pub(super) fn on_error(&self, is_first: bool, why: &str) {
        if is_first {
            gst::element_imp_warning!(
                self,
                gst::LibraryError::Failed,
                ("The network failed on a frame ({why}): frames go on without objects, see errors in the property stats")
            );
        } else {
            gst::debug!(CAT, imp = self, "the network failed on a frame: {why}");
        }
    }

    /// The network that serves has something to say; it may run elsewhere now.
    pub(super) fn on_news(&self, news: &[String]) {
        for text in news {
            gst::element_imp_warning!(self, gst::LibraryError::Failed, ("{text}"));
        }
        if !news.is_empty() {
            self.obj().notify("active-backend");
        }
    }

    /// Another network serves.
    pub(super) fn on_serving(&self) {
        let obj = self.obj();
        obj.notify("active-backend");
        gst::info!(CAT, imp = self, "another model serves");
    }

    /// Has the pipeline ask for the latency again.
    pub(super) fn post_latency(&self) {
        let message = gst::message::Latency::builder().src(&*self.obj()).build();
        let _ = self.obj().post_message(message);
    }

    /// Tells upstream how long frames wait for their objects, and how long they may.
    pub(super) fn tell_load(&self, latency: Duration, target: Duration) {
        let load = Load {
            latency,
            target,
            source: self.obj().name().into(),
        };
        self.sink().push_event(load.to_event());
    }

    /// Posts an error for what nobody upstream would be told; whether `error` is one.
    pub(super) fn report_flow_error(&self, error: gst::FlowError) -> bool {
        let is_one = !matches!(error, gst::FlowError::Flushing | gst::FlowError::Eos);
        if is_one {
            gst::element_imp_error!(
                self,
                gst::StreamError::Failed,
                ("The stream stopped ({error}): what is linked behind gpuinfer takes no more frames")
            );
        }
        is_one
    }

    /// A sticky event that was never pushed and is still true after a flush.
    pub(super) fn keep(&self, event: &gst::Event) {
        let ends = [gst::EventType::Eos, gst::EventType::Segment];
        if event.is_sticky() && !ends.contains(&event.type_()) {
            let _ = self.src().store_sticky_event(event);
        }
    }
}
