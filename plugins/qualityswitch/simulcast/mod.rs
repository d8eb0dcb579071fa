//! One of several renditions of the same picture, already encoded: which one goes on, and how another takes over.
//!
//! Another takes over with a key frame, which is asked for; until that is there the old one goes on.

mod imp;
mod pads;
mod stream;

use gst::glib;
use gst::subclass::prelude::*;
use livetune_core::quality::{Fitted, InputVideo, Rendition};

/// The name of the template of the pads that take renditions.
pub(super) const TEMPLATE: &str = "sink_%u";

/// Formats whose key frames can be told from the others by the flag of their buffers.
const FORMATS: [&str; 7] = [
    "video/x-h264",
    "video/x-h265",
    "video/x-vp8",
    "video/x-vp9",
    "video/x-av1",
    "video/mpeg",
    "image/jpeg",
];

glib::wrapper! {
    /// Lets one of its inputs through. Only in a qualityswitch.
    pub struct Renditions(ObjectSubclass<imp::Renditions>) @extends gst::Element, gst::Object;
}

/// What renditions may be.
pub(super) fn encoded() -> gst::Caps {
    let formats = FORMATS.map(gst::Structure::new_empty);
    formats.into_iter().collect()
}

/// A rendition whose size is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Known {
    pub(super) id: Rendition,
    pub(super) video: InputVideo,
}

impl Known {
    fn pixels(&self) -> u64 {
        u64::from(self.video.width) * u64::from(self.video.height)
    }
}

/// The best of `renditions`: what the ladder is fitted to.
pub(super) fn best(renditions: &[Known]) -> Option<Known> {
    renditions
        .iter()
        .max_by_key(|known| known.pixels())
        .copied()
}

/// Which of `renditions` is sent on the rung: the one with most pixels that is no larger, else the smallest.
pub(super) fn of_rung(renditions: &[Known], rung: &Fitted) -> Option<Known> {
    let most = u64::from(rung.width) * u64::from(rung.height);
    let fitting = renditions.iter().filter(|known| known.pixels() <= most);
    let fitting = fitting.max_by_key(|known| known.pixels());
    let smallest = || renditions.iter().min_by_key(|known| known.pixels());
    fitting.or_else(smallest).copied()
}

impl Renditions {
    /// A part for `owner`.
    pub(super) fn new(owner: &super::QualitySwitch) -> Self {
        let part: Self = glib::Object::builder()
            .property("name", "renditions")
            .build();
        part.imp().set_owner(owner);
        part
    }

    /// The renditions that are there, with their sizes.
    pub(super) fn known(&self) -> Vec<Known> {
        self.imp().known()
    }

    /// Whether all renditions have said what they are, or had the time to.
    pub(super) fn are_known(&self) -> bool {
        self.imp().are_known()
    }

    /// The rendition that goes on.
    pub(super) fn current(&self) -> Option<Rendition> {
        self.imp().current()
    }

    /// The rendition that is to go on from its next key frame on.
    pub(super) fn want(&self, rendition: Rendition) {
        self.imp().want(rendition);
    }

    /// Where renditions come out.
    pub(super) fn output(&self) -> gst::Pad {
        self.imp().src().clone()
    }
}

#[cfg(test)]
mod tests {
    use livetune_core::quality::{DEFAULT_LADDER, Ladder};

    use super::*;

    fn known(id: u32, width: u32, height: u32) -> Known {
        let video = InputVideo {
            width,
            height,
            pixel_aspect: (1, 1),
            rate: None,
            scalable: true,
        };
        let id = Rendition(id);
        Known { id, video }
    }

    #[test]
    fn each_rung_has_the_largest_rendition_that_fits_in_it() {
        let renditions = [
            known(0, 640, 360),
            known(1, 1920, 1080),
            known(2, 1280, 720),
        ];
        let best = best(&renditions).expect("there are some");
        assert_eq!(best.id, Rendition(1));
        let ladder = Ladder::parse(DEFAULT_LADDER).expect("the default ladder");
        let fitted = ladder.fit(&best.video);
        let chosen = fitted.iter().filter_map(|rung| of_rung(&renditions, rung));
        let ids: Vec<u32> = chosen.map(|known| known.id.0).collect();
        assert_eq!(ids, [1, 1, 2, 0, 0]);
        assert_eq!(of_rung(&[], &fitted[0]), None);
    }
}
