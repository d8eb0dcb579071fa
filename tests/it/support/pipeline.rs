//! Pipelines that end with their test.

use std::ops::Deref;
use std::time::Duration;

use gst::prelude::*;

/// Every wait of a test ends by then: generous, for machines that are full.
pub const LIMIT: Duration = Duration::from_secs(30);

/// A pipeline that is stopped when it is dropped, whatever the test did.
pub struct Pipeline(gst::Pipeline);

impl Deref for Pipeline {
    type Target = gst::Pipeline;

    fn deref(&self) -> &gst::Pipeline {
        &self.0
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        let _ = self.0.set_state(gst::State::Null);
    }
}

impl Pipeline {
    /// Parses a line of gst-launch-1.0.
    pub fn parse(line: &str) -> Self {
        super::init();
        let element = gst::parse::launch(line).unwrap_or_else(|error| panic!("{line}: {error}"));
        let pipeline = element.downcast::<gst::Pipeline>();
        Self(pipeline.unwrap_or_else(|_| panic!("{line}: not a pipeline")))
    }

    /// The element called `name`.
    pub fn element(&self, name: &str) -> gst::Element {
        let element = self.0.by_name(name);
        element.unwrap_or_else(|| panic!("no element called {name}"))
    }

    /// Starts the pipeline and waits until it plays.
    pub fn play(&self) {
        self.0.set_state(gst::State::Playing).unwrap();
        self.0.state(clock_time(LIMIT)).0.unwrap();
    }

    /// Runs to the end of the stream; fails on an error message.
    pub fn run_to_eos(&self) {
        self.0.set_state(gst::State::Playing).unwrap();
        self.wait_for(gst::MessageType::Eos);
    }

    /// The next message of the type `kind`; fails on an error message of another kind or after the limit.
    pub fn wait_for(&self, kind: gst::MessageType) -> gst::Message {
        let bus = self.0.bus().unwrap();
        let wanted = [kind, gst::MessageType::Error];
        let message = bus.timed_pop_filtered(clock_time(LIMIT), &wanted);
        let message = message.unwrap_or_else(|| panic!("no {kind:?} in {LIMIT:?}"));
        if let gst::MessageView::Error(error) = message.view()
            && kind != gst::MessageType::Error
        {
            panic!("{}: {:?}", error.error(), error.debug());
        }
        message
    }

    /// The next element message whose structure is called `name`.
    pub fn wait_for_element_message(&self, name: &str) -> gst::Structure {
        loop {
            let message = self.wait_for(gst::MessageType::Element);
            if let Some(structure) = message.structure().filter(|s| s.name() == name) {
                return structure.to_owned();
            }
        }
    }

    /// Tries to go to `state` and answers the error message that says why it cannot.
    pub fn error_on_the_way_to(&self, state: gst::State) -> String {
        let _ = self.0.set_state(state);
        let message = self.wait_for(gst::MessageType::Error);
        match message.view() {
            gst::MessageView::Error(error) => error.error().to_string(),
            _ => unreachable!("waited for an error"),
        }
    }
}

fn clock_time(duration: Duration) -> gst::ClockTime {
    gst::ClockTime::try_from(duration).unwrap()
}

/// The `stats` of `element`.
pub fn stats(element: &impl IsA<gst::Element>) -> gst::Structure {
    element.property::<gst::Structure>("stats")
}
