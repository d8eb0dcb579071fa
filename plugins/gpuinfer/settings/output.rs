//! How objects are shown.

use std::time::Duration;

use super::spec::{PLAYING, READY, choice, flag, group, number, text};
use crate::gpuinfer::object_settings::ObjectSettings;
use crate::gpuinfer::presenter::Wanted;
use crate::gpuinfer::second_stage::SecondStage;
use crate::gpuinfer::{Metadata, Publish, RoiSource, Tracking};

group! {
    /// How objects are shown.
    OutputSettings {
        roi_source: RoiSource = RoiSource::Frame, "roi-source", choice((READY, "Source of regions",
            "What the network looks at: the frame, or each object that another gpuinfer found on it"));
        /// Labels, parted by commas.
        object_classes: Option<String> = None, "object-classes", text((READY, "Classes of objects",
            "Labels of the objects that roi-source=objects looks at, parted by commas (NULL = all)"));
        /// Milliseconds.
        reclassify_interval: u32 = 0, "reclassify-interval", number(0, u32::MAX, (READY, "Interval of reclassification",
            "After how long, in ms, roi-source=objects looks at a tracked object again (0 = only when its box has grown \
             by half)"));
        tracker: Tracking = Tracking::None, "tracker", choice((READY, "Tracker",
            "How objects are followed from frame to frame, each with an id of its own"));
        metadata: Metadata = Metadata::Auto, "metadata", choice((READY, "Metadata",
            "Which metas the frames get"));
        draw: bool = false, "draw", flag((PLAYING, "Draw",
            "Draw boxes, labels and confidence into the picture; a frame that others see too is copied for that"));
        post_messages: bool = false, "post-messages", flag((PLAYING, "Post messages",
            "Post a livetune-detections message on the bus for every frame that has objects of its own or carries some"));
        publish: Publish = Publish::None, "publish", choice((READY, "Publish",
            "How the objects of each frame are written to publish-location"));
        publish_location: Option<String> = None, "publish-location", text((READY, "Publish location",
            "Where publish writes to: path of a file, which is made anew, or of a named pipe; - is the standard output"));
    }
}

impl OutputSettings {
    /// Whether objects of whole frames are followed, which takes doubtful ones too.
    pub(in crate::gpuinfer) fn follows(&self) -> bool {
        self.tracker == Tracking::Iou && self.roi_source == RoiSource::Frame
    }

    pub(in crate::gpuinfer) fn second_stage(&self) -> Option<SecondStage> {
        let interval = Duration::from_millis(self.reclassify_interval.into());
        let labels = self.object_classes.as_deref();
        let is_one = self.roi_source == RoiSource::Objects;
        is_one.then(|| SecondStage::new(labels, interval))
    }

    pub(in crate::gpuinfer) fn objects(&self) -> ObjectSettings {
        ObjectSettings {
            roi_source: self.roi_source,
            object_classes: self.object_classes.clone(),
            reclassify_interval: self.reclassify_interval,
            tracker: self.tracker,
            metadata: self.metadata,
            publish: self.publish,
            publish_location: self.publish_location.clone(),
        }
    }

    pub(super) const fn wanted(&self) -> Wanted {
        Wanted {
            draw: self.draw,
            message: self.post_messages,
        }
    }
}
