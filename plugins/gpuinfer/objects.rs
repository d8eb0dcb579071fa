//! An object as others see it: what the element's metas, drawings and publications all tell of.

use std::time::Duration;

use gst_video::VideoRegionOfInterestMeta;
use livetune_core::infer::{Area, Class, Detection, Size, Tracked};

use super::tensors::Tensor;

/// How an object came to be on a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The network saw it on this very frame.
    Inferred,
    /// The network saw it so long before this frame.
    Carried { age: Duration },
}

/// What a network said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// Here is an object.
    Detected,
    /// The object `parent`, or the whole frame where there is none, is of this class.
    Classified,
}

/// A detection on one frame, or a classification.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Object {
    pub(super) what: What,
    /// Unique in the frame.
    pub(super) id: i32,
    /// The same on every frame, where objects are tracked; never that of another.
    pub(super) track: Option<u64>,
    /// The `id` of the object on the same frame in which this one was looked for.
    pub(super) parent: Option<i32>,
    pub(super) class: usize,
    pub(super) confidence: f32,
    /// In pixels of the frame.
    pub(super) area: Area,
    /// Left, top, width and height in whole pixels of the frame.
    pub(super) rect: (u32, u32, u32, u32),
    pub(super) origin: Origin,
}

impl Object {
    /// `found`, inferred on a frame of the size `frame`; its id is still to be given.
    pub(super) fn inferred(found: &Detection, frame: Size) -> Self {
        Self {
            what: What::Detected,
            id: 0,
            track: None,
            parent: None,
            class: found.class,
            confidence: found.confidence,
            area: found.area,
            rect: found.area.to_pixels(frame),
            origin: Origin::Inferred,
        }
    }

    /// `found` of a frame of the size `frame` as a whole.
    pub(super) fn classified(found: &Class, frame: Size) -> Self {
        let (width, height) = (frame.width as f32, frame.height as f32);
        let whole = Detection {
            area: Area::around(width / 2.0, height / 2.0, width, height),
            class: found.class,
            confidence: found.confidence,
        };
        Self {
            what: What::Classified,
            ..Self::inferred(&whole, frame)
        }
    }

    /// `tracked` on a frame of the size `frame`; `None` where nothing of it is in the frame any more.
    pub(super) fn tracked(tracked: &Tracked, frame: Size) -> Option<Self> {
        let (width, height) = (frame.width as f32, frame.height as f32);
        let area = tracked.detection.area;
        let area = Area {
            left: area.left.clamp(0.0, width),
            top: area.top.clamp(0.0, height),
            right: area.right.clamp(0.0, width),
            bottom: area.bottom.clamp(0.0, height),
        };
        let found = Detection {
            area,
            ..tracked.detection
        };
        let origin = match tracked.age {
            Duration::ZERO => Origin::Inferred,
            age => Origin::Carried { age },
        };
        area.is_proper().then(|| Self {
            track: tracked.track,
            origin,
            ..Self::inferred(&found, frame)
        })
    }

    /// How long ago the network saw it.
    pub(super) const fn age(&self) -> Duration {
        match self.origin {
            Origin::Inferred => Duration::ZERO,
            Origin::Carried { age } => age,
        }
    }
}

/// What is told of a frame.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) objects: Vec<Object>,
    /// Outputs that nobody here makes sense of.
    pub(super) tensors: Vec<Tensor>,
}

impl Told {
    /// Nothing; the memory stays.
    pub(super) fn clear(&mut self) {
        self.objects.clear();
        self.tensors.clear();
    }
}

/// Gives `objects` ids that no object of `buffer` has yet, in their order.
pub(super) fn number(objects: &mut [Object], buffer: &gst::BufferRef) {
    let is_taken = |id| {
        let mut others = buffer.iter_meta::<VideoRegionOfInterestMeta>();
        others.any(|meta| meta.id() == id)
    };
    let ids = (1..=i32::MAX).filter(|id| !is_taken(*id));
    for (object, id) in objects.iter_mut().zip(ids) {
        object.id = id;
    }
}
