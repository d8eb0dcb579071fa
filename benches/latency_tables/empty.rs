//! What any measuring costs: a pad probe and a tracer hook that do nothing.

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;

/// Puts an empty probe on the source pad of every element of `pipeline`.
pub fn add_probes(pipeline: &gst::Pipeline) {
    let kinds = gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST;
    for element in pipeline.iterate_elements().into_iter().flatten() {
        for pad in element.src_pads() {
            pad.add_probe(kinds, |_, _| gst::PadProbeReturn::Ok);
        }
    }
}

/// Starts a tracer with an empty hook; it works while it lives.
pub fn start_tracer() -> EmptyTracer {
    glib::Object::new()
}

glib::wrapper! {
    pub struct EmptyTracer(ObjectSubclass<imp::EmptyTracer>)
        @extends gst::Tracer, gst::Object;
}

mod imp {
    use super::*;

    #[derive(Default)]
    pub struct EmptyTracer;

    #[glib::object_subclass]
    impl ObjectSubclass for EmptyTracer {
        const NAME: &'static str = "LiveTuneBenchEmptyTracer";
        type Type = super::EmptyTracer;
        type ParentType = gst::Tracer;
    }

    impl ObjectImpl for EmptyTracer {
        fn constructed(&self) {
            self.parent_constructed();
            self.register_hook(TracerHook::PadPushPre);
        }
    }

    impl GstObjectImpl for EmptyTracer {}

    impl TracerImpl for EmptyTracer {
        fn pad_push_pre(&self, _: u64, _: &gst::Pad, _: &gst::Buffer) {}
    }
}
