//! What the user can set of what becomes of objects.

use gst::glib;

use super::meta::Metadata;
use super::publish::Publish;

/// How objects are followed from frame to frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstLiveTuneGpuInferTracker")]
pub enum Tracking {
    /// Not at all.
    #[default]
    #[enum_value(name = "Not at all", nick = "none")]
    None,
    /// By the overlap of their boxes.
    #[enum_value(
        name = "By the overlap of their boxes, in the manner of ByteTrack",
        nick = "iou"
    )]
    Iou,
}

/// What the network looks at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstLiveTuneGpuInferRoiSource")]
pub enum RoiSource {
    /// The frame.
    #[default]
    #[enum_value(name = "The frame", nick = "frame")]
    Frame,
    /// What is on the frame already.
    #[enum_value(
        name = "Each object that metas of the frame tell of: a second stage",
        nick = "objects"
    )]
    Objects,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct ObjectSettings {
    pub(super) roi_source: RoiSource,
    /// Labels, parted by commas.
    pub(super) object_classes: Option<String>,
    /// Milliseconds.
    pub(super) reclassify_interval: u32,
    pub(super) tracker: Tracking,
    pub(super) metadata: Metadata,
    pub(super) publish: Publish,
    pub(super) publish_location: Option<String>,
}

impl ObjectSettings {
    pub(super) const DEFAULT: Self = Self {
        roi_source: RoiSource::Frame,
        object_classes: None,
        reclassify_interval: 0,
        tracker: Tracking::None,
        metadata: Metadata::Auto,
        publish: Publish::None,
        publish_location: None,
    };
}

impl Default for ObjectSettings {
    fn default() -> Self {
        Self::DEFAULT
    }
}
