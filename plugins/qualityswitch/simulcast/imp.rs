//! The GObject inside: its pads, and what is known of each rendition.

use std::sync::{Condvar, LazyLock, Mutex, OnceLock};
use std::time::Duration;

use gst::glib;
use gst::prelude::*;
use gst::subclass::prelude::*;
use livetune_core::quality::{InputVideo, Rendition, Selector, SelectorConfig};
use livetune_core::time::MediaTime;

use super::{Known, TEMPLATE, encoded};
use crate::qualityswitch::QualitySwitch;
use crate::runtime::clock;
use crate::runtime::lock::lock;

/// One that is not there by then is taken for absent: the best of the others is the best.
const LONGEST_START: Duration = Duration::from_secs(1);

/// A rendition and its pad.
#[derive(Debug)]
pub(super) struct Input {
    pub(super) id: Rendition,
    pub(super) pad: gst::Pad,
    pub(super) video: Option<InputVideo>,
    pub(super) segment: gst::FormattedSegment<gst::ClockTime>,
    pub(super) ended: bool,
}

/// What is known.
#[derive(Debug)]
pub(super) struct Inner {
    pub(super) selector: Selector,
    pub(super) inputs: Vec<Input>,
    /// Grows with each frame that goes on: those that wait look again.
    pub(super) progress: u64,
    /// When the first rendition said what it is.
    pub(super) first_known: Option<MediaTime>,
    /// Threads with a key frame that wait for another one's turn to push to end.
    pub(super) knocking: u32,
    /// The rendition whose caps and segment went on last.
    pub(super) told: Option<Rendition>,
}

pub struct Renditions {
    src: gst::Pad,
    pub(super) inner: Mutex<Inner>,
    pub(super) moved: Condvar,
    owner: OnceLock<glib::WeakRef<QualitySwitch>>,
}

impl Renditions {
    pub(super) fn set_owner(&self, owner: &QualitySwitch) {
        let _ = self.owner.set(owner.downgrade());
    }

    pub(super) fn owner(&self) -> Option<QualitySwitch> {
        self.owner.get()?.upgrade()
    }

    pub(super) fn src(&self) -> &gst::Pad {
        &self.src
    }

    pub(super) fn known(&self) -> Vec<Known> {
        let inner = lock(&self.inner);
        let known = inner.inputs.iter().filter_map(|input| {
            let (id, video) = (input.id, input.video?);
            Some(Known { id, video })
        });
        known.collect()
    }

    pub(super) fn are_known(&self) -> bool {
        let now = clock::monotonic();
        let mut inner = lock(&self.inner);
        let since = *inner.first_known.get_or_insert(now);
        let mut inputs = inner.inputs.iter();
        inputs.all(|input| input.video.is_some()) || now.since(since) >= LONGEST_START
    }

    pub(super) fn current(&self) -> Option<Rendition> {
        lock(&self.inner).selector.current()
    }

    pub(super) fn want(&self, rendition: Rendition) {
        lock(&self.inner).selector.on_wanted(rendition);
        self.ask_for_key_frame();
    }

    /// The pad of the rendition that goes on.
    pub(super) fn current_pad(&self) -> Option<gst::Pad> {
        let inner = lock(&self.inner);
        let current = inner.selector.current()?;
        let mut inputs = inner.inputs.iter();
        let input = inputs.find(|input| input.id == current)?;
        Some(input.pad.clone())
    }

    /// Asks the encoder of the wanted rendition, where it is time to.
    pub(super) fn ask_for_key_frame(&self) {
        let due = |inner: &mut Inner| {
            let wanted = inner.selector.on_time(clock::monotonic())?.0;
            let mut inputs = inner.inputs.iter();
            let input = inputs.find(|input| input.id == wanted)?;
            Some(input.pad.clone())
        };
        let pad = due(&mut lock(&self.inner));
        if let Some(pad) = pad {
            let event = gst_video::UpstreamForceKeyUnitEvent::builder()
                .all_headers(true)
                .build();
            // One that has none to give is asked again.
            let _ = pad.push_event(event);
        }
    }

    fn new_pad(&self, template: &gst::PadTemplate, id: u32) -> gst::Pad {
        let rendition = Rendition(id);
        gst::Pad::builder_from_template(template)
            .name(format!("sink_{id}"))
            .flags(gst::PadFlags::PROXY_CAPS)
            .chain_function(move |_, parent, buffer| {
                let fail = || Err(gst::FlowError::Error);
                Self::catch_panic_pad_function(parent, fail, |imp| imp.on_frame(rendition, buffer))
            })
            .event_function(move |pad, parent, event| {
                let fail = || false;
                Self::catch_panic_pad_function(parent, fail, |imp| {
                    imp.on_event(pad, rendition, event)
                })
            })
            .build()
    }
}

#[glib::object_subclass]
impl ObjectSubclass for Renditions {
    const NAME: &'static str = "GstLiveTuneRenditions";
    type Type = super::Renditions;
    type ParentType = gst::Element;

    fn new() -> Self {
        let template = &Self::pad_templates()[0];
        let src = gst::Pad::builder_from_template(template)
            .event_function(|pad, parent, event| {
                let fail = || false;
                Self::catch_panic_pad_function(parent, fail, |imp| {
                    imp.on_upstream_event(pad, event)
                })
            })
            .build();
        Self {
            src,
            inner: Mutex::new(Inner {
                selector: Selector::new(SelectorConfig::default()),
                inputs: Vec::new(),
                progress: 0,
                first_known: None,
                knocking: 0,
                told: None,
            }),
            moved: Condvar::new(),
            owner: OnceLock::new(),
        }
    }
}

impl ObjectImpl for Renditions {
    fn constructed(&self) {
        self.parent_constructed();
        // A new element has no other pad of this name.
        let _ = self.obj().add_pad(&self.src);
    }
}

impl GstObjectImpl for Renditions {}

impl ElementImpl for Renditions {
    fn pad_templates() -> &'static [gst::PadTemplate] {
        static TEMPLATES: LazyLock<Vec<gst::PadTemplate>> = LazyLock::new(|| {
            let (always, request) = (gst::PadPresence::Always, gst::PadPresence::Request);
            let pads = [
                ("src", gst::PadDirection::Src, always),
                (TEMPLATE, gst::PadDirection::Sink, request),
            ];
            let made = pads.map(|(name, direction, presence)| {
                gst::PadTemplate::new(name, direction, presence, &encoded())
            });
            made.into_iter().flatten().collect()
        });
        &TEMPLATES
    }

    fn request_new_pad(
        &self,
        template: &gst::PadTemplate,
        name: Option<&str>,
        _caps: Option<&gst::Caps>,
    ) -> Option<gst::Pad> {
        let wished = name.and_then(|name| name.strip_prefix("sink_")?.parse().ok());
        let mut inner = lock(&self.inner);
        let next = inner.inputs.iter().map(|input| input.id.0 + 1).max();
        let id = wished.or(next).unwrap_or(0);
        if inner.inputs.iter().any(|input| input.id.0 == id) {
            return None;
        }
        let pad = self.new_pad(template, id);
        inner.selector.add(Rendition(id));
        inner.inputs.push(Input {
            id: Rendition(id),
            pad: pad.clone(),
            video: None,
            segment: gst::FormattedSegment::new(),
            ended: false,
        });
        drop(inner);
        let _ = pad.set_active(true);
        self.obj().add_pad(&pad).ok()?;
        Some(pad)
    }

    fn release_pad(&self, pad: &gst::Pad) {
        let mut inner = lock(&self.inner);
        if let Some(at) = inner.inputs.iter().position(|input| &input.pad == pad) {
            let gone = inner.inputs.swap_remove(at);
            inner.selector.remove(gone.id);
        }
        drop(inner);
        self.moved.notify_all();
        let _ = pad.set_active(false);
        let _ = self.obj().remove_pad(pad);
    }

    fn change_state(
        &self,
        transition: gst::StateChange,
    ) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
        if transition == gst::StateChange::ReadyToPaused {
            let mut inner = lock(&self.inner);
            let ids: Vec<Rendition> = inner.inputs.iter().map(|input| input.id).collect();
            inner.selector = Selector::new(SelectorConfig::default());
            ids.into_iter().for_each(|id| inner.selector.add(id));
            inner.told = None;
            inner.first_known = None;
            for input in &mut inner.inputs {
                input.ended = false;
                input.video = None;
            }
        }
        self.parent_change_state(transition)
    }
}
