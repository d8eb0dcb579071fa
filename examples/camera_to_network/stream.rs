//! Sender and receiver, running.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::error::Error;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use gst::prelude::*;

use crate::lines;
use crate::options::Options;

/// Two pipelines that stop when this is dropped.
pub struct Stream {
    sender: gst::Pipeline,
    receiver: gst::Pipeline,
    ended: Arc<AtomicBool>,
    found: RefCell<BTreeMap<String, u64>>,
}

impl Stream {
    /// Prints and builds both pipelines.
    pub fn new(options: &Options, display: bool) -> Result<Self, Box<dyn Error>> {
        let build = |line: &str| -> Result<gst::Pipeline, Box<dyn Error>> {
            println!("gst-launch-1.0 {}\n", lines::for_the_shell(line));
            let element = gst::parse::launch(line)?;
            let pipeline = element.downcast::<gst::Pipeline>();
            Ok(pipeline.map_err(|_| "the line is not a pipeline")?)
        };
        let receiver = build(&lines::receiver(options, display))?;
        let sender = build(&lines::sender(options))?;
        let ended = Arc::default();
        watch_for_the_end(&sender, Arc::clone(&ended));
        Ok(Self {
            sender,
            receiver,
            ended,
            found: RefCell::default(),
        })
    }

    /// Starts the receiver, then the sender.
    pub fn play(&self) -> Result<(), Box<dyn Error>> {
        for pipeline in [&self.receiver, &self.sender] {
            if pipeline.set_state(gst::State::Playing).is_err() {
                let _ = self.messages()?;
                return Err("the pipeline does not start".into());
            }
        }
        self.hurry_reports();
        Ok(())
    }

    /// Reads what the pipelines said: an error ends the program, the end of the file ends the run.
    pub fn messages(&self) -> Result<ControlFlow<()>, Box<dyn Error>> {
        for pipeline in [&self.sender, &self.receiver] {
            while let Some(message) = pipeline.bus().and_then(|bus| bus.pop()) {
                match message.view() {
                    gst::MessageView::Error(error) => {
                        let source = error
                            .src()
                            .map(GstObjectExt::path_string)
                            .unwrap_or_default();
                        return Err(format!("{source}: {}", error.error()).into());
                    }
                    gst::MessageView::Warning(warning) => println!("warning: {}", warning.error()),
                    gst::MessageView::Element(element) => {
                        element
                            .structure()
                            .into_iter()
                            .for_each(|said| self.count(said));
                    }
                    _ => {}
                }
            }
        }
        if self.ended.load(Ordering::Relaxed) {
            return Ok(ControlFlow::Break(()));
        }
        Ok(ControlFlow::Continue(()))
    }

    /// How often objects of each label were found, by the `livetune-detections` messages that were read.
    pub fn found(&self) -> BTreeMap<String, u64> {
        self.found.borrow().clone()
    }

    fn count(&self, said: &gst::StructureRef) {
        if said.name() != "livetune-detections" {
            return;
        }
        let objects = said.get::<gst::List>("objects").unwrap_or_default();
        let objects = objects
            .iter()
            .filter_map(|object| object.get::<gst::Structure>().ok());
        for label in objects.filter_map(|object| object.get::<String>("label").ok()) {
            *self.found.borrow_mut().entry(label).or_default() += 1;
        }
    }

    /// The `stats` of the element called `name`, empty where there is none.
    pub fn stats(&self, name: &str) -> gst::Structure {
        self.element(name).map_or_else(
            || gst::Structure::new_empty("none"),
            |element| element.property("stats"),
        )
    }

    /// The element called `name` of either pipeline.
    pub fn element(&self, name: &str) -> Option<gst::Element> {
        let by_name = |pipeline: &gst::Pipeline| pipeline.by_name(name);
        by_name(&self.sender).or_else(|| by_name(&self.receiver))
    }

    /// In a program of two sessions, their names are not known before: asked for, not named in the line.
    fn hurry_reports(&self) {
        for pipeline in [&self.sender, &self.receiver] {
            let session = pipeline.by_name("rtp").and_then(|rtpbin| {
                rtpbin.emit_by_name::<Option<gst::glib::Object>>("get-internal-session", &[&0u32])
            });
            if let Some(session) = session {
                session.set_property("rtcp-min-interval", lines::RTCP_INTERVAL.nseconds());
            }
        }
    }
}

/// Says so in `ended` when the file's last frame was encoded. The pipeline itself never ends: RTCP goes on.
fn watch_for_the_end(sender: &gst::Pipeline, ended: Arc<AtomicBool>) {
    let encoded = sender
        .by_name("encoded")
        .and_then(|tap| tap.static_pad("src"));
    if let Some(pad) = encoded {
        pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |_, info| {
            if info
                .event()
                .is_some_and(|event| event.type_() == gst::EventType::Eos)
            {
                ended.store(true, Ordering::Relaxed);
            }
            gst::PadProbeReturn::Ok
        });
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        for pipeline in [&self.sender, &self.receiver] {
            let _ = pipeline.set_state(gst::State::Null);
        }
    }
}
