//! Feedback of the network: which transports carry the stream, and what they tell.

mod find;
mod inbox;
mod network;
mod pressure;
mod report_block;
mod rist;
mod rounds;
mod rtcp;
mod srt;
pub(super) mod twcc;

use std::sync::Arc;

use gst::glib;
use gst::prelude::*;
use livetune_core::bitrate::{Backlog, IntervalReport, SrtReport};
use livetune_core::time::MediaTime;
use livetune_core::units::ByteCount;

pub(super) use find::{Found, behind, in_element};
pub(super) use inbox::{Inbox, Input, Packets};
pub(super) use network::Network;
pub(super) use pressure::{Push, running_time};
pub(super) use rounds::Rounds;

use find::Way;
use pressure::Pressure;
use rist::Rist;
use rtcp::Session;
use srt::Srt;

/// One transport of the stream. Weak: it keeps no element alive. Ends with its last clone.
#[derive(Clone, Debug)]
pub(super) struct Transport {
    element: glib::WeakRef<gst::Element>,
    name: String,
    source: Arc<Source>,
}

/// How a transport tells.
#[derive(Debug)]
enum Source {
    /// By itself, as reports come.
    Session(Session),
    /// By itself, and when it is asked.
    Rist(Rist),
    /// When it is asked.
    Srt(Srt),
    Pressure(Pressure),
    /// Never.
    Deaf,
}

/// What tells of the network; the words of `stats`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Twcc,
    Rtcp,
    Rist,
    Srt,
    Backpressure,
    None,
}

impl Kind {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Twcc => "twcc",
            Self::Rtcp => "rtcp",
            Self::Rist => "rist",
            Self::Srt => "srt",
            Self::Backpressure => "backpressure",
            Self::None => "none",
        }
    }
}

impl Transport {
    /// Listens to what was found; what comes goes into the `inbox`.
    pub(super) fn connect(found: &Found, inbox: &Arc<Inbox>) -> Self {
        let element = &found.element;
        let source = match &found.way {
            Way::Session(rtp) => {
                let session = Session::listen(element, rtp, inbox.clone());
                match part_of(element, "ristsink") {
                    Some(sink) => Source::Rist(Rist::of(&sink, session)),
                    None => Source::Session(session),
                }
            }
            Way::Srt => Source::Srt(Srt::of(element)),
            Way::Pressure(pad) => Source::Pressure(Pressure::watch(element, pad)),
            Way::Deaf => Source::Deaf,
        };
        Self {
            element: element.downgrade(),
            name: element.name().to_string(),
            source: Arc::new(source),
        }
    }

    /// The element's name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// What tells it from others of the process while it lives.
    pub(super) fn address(&self) -> Option<u64> {
        Some(self.element.upgrade()?.as_ptr() as u64)
    }

    /// That of our RTP packets.
    pub(super) fn payload_type(&self) -> Option<u8> {
        match &*self.source {
            Source::Session(session) => session.payload_type(),
            _ => None,
        }
    }

    pub(super) fn kind(&self) -> Kind {
        match &*self.source {
            Source::Session(_) => Kind::Rtcp,
            Source::Rist(_) => Kind::Rist,
            Source::Srt(_) => Kind::Srt,
            Source::Pressure(_) => Kind::Backpressure,
            Source::Deaf => Kind::None,
        }
    }

    /// This listens to what was `found`.
    pub(super) fn is(&self, found: &Found) -> bool {
        self.element.upgrade().as_ref() == Some(&found.element)
    }

    /// Tells only when it is asked.
    pub(super) fn is_asked(&self) -> bool {
        matches!(
            &*self.source,
            Source::Srt(_) | Source::Rist(_) | Source::Pressure(_)
        )
    }

    /// A buffer of ours goes its way.
    pub(super) fn on_passed(&self, size: ByteCount, media: Option<MediaTime>) {
        if let (Source::Pressure(pressure), Some(media)) = (&*self.source, media) {
            pressure.on_passed(size, media);
        }
    }

    /// The `push` returns at the running time `running`.
    pub(super) fn on_returned(&self, push: Push, running: MediaTime, now: MediaTime) {
        if let Source::Pressure(pressure) = &*self.source {
            pressure.on_returned(push, running, now);
        }
    }

    pub(super) fn on_flush(&self) {
        if let Source::Pressure(pressure) = &*self.source {
            pressure.on_flush();
        }
    }
}

/// The element around `element` that the `factory` made.
fn part_of(element: &gst::Element, factory: &str) -> Option<gst::Element> {
    let parents = std::iter::successors(element.parent(), GstObjectExt::parent);
    let mut parents = parents.filter_map(|parent| parent.downcast::<gst::Element>().ok());
    parents.find(|parent| parent.factory().is_some_and(|f| f.name() == factory))
}

/// Asks all `transports` that have to be asked: of each kind the slowest one tells. While `push` is under way.
pub(super) fn ask(
    transports: &[Transport],
    push: Option<Push>,
    running: Option<MediaTime>,
    now: MediaTime,
) -> impl Iterator<Item = Input> + use<> {
    let mut report: Option<SrtReport> = None;
    let mut backlog: Option<Backlog> = None;
    let mut resent: Option<IntervalReport> = None;
    for transport in transports {
        match &*transport.source {
            Source::Srt(srt) => report = slower(report, srt.read(now)),
            Source::Pressure(pressure) => {
                let read = pressure.read(push, running, now);
                backlog = Some(backlog.map_or(read, |other| behind_most(other, read)));
            }
            Source::Rist(rist) => resent = rist.read(now).or(resent),
            Source::Session(_) | Source::Deaf => (),
        }
    }
    let report = report.map(Input::Srt);
    let reports = report.into_iter().chain(resent.map(Input::Report));
    reports.chain(backlog.map(Input::Backlog))
}

fn slower(one: Option<SrtReport>, other: Option<SrtReport>) -> Option<SrtReport> {
    let all = [one, other].into_iter().flatten();
    all.max_by_key(SrtReport::badness)
}

fn behind_most(one: Backlog, other: Backlog) -> Backlog {
    Backlog {
        behind: one.behind.max(other.behind),
        held: if one.held > other.held {
            one.held
        } else {
            other.held
        },
        drained: one.drained.min(other.drained),
    }
}
