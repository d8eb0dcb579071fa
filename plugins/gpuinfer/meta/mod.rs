//! Objects on the frames: in every kind of meta that others read, with the same ids in each.

mod analytics;
mod custom;
mod roi;
mod tensors;

use gst::glib;
use livetune_core::infer::Size;

use super::objects::{self, Object};
use super::presenter::About;
pub(super) use analytics::Analytics;

/// Which metas the frames get.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, glib::Enum)]
#[enum_type(name = "GstLiveTuneGpuInferMetadata")]
pub enum Metadata {
    /// All that can be had here.
    #[default]
    #[enum_value(
        name = "Regions of interest, livetune-inference, and GstAnalytics where libgstanalytics is installed",
        nick = "auto"
    )]
    Auto,
    /// One `GstVideoRegionOfInterestMeta` per object.
    #[enum_value(name = "Regions of interest, in DL Streamer's layout", nick = "roi")]
    Roi,
    /// One `livetune-inference` per frame.
    #[enum_value(
        name = "livetune-inference, which passes encoders and payloaders",
        nick = "custom"
    )]
    Custom,
    /// One `GstAnalyticsODMtd` per object.
    #[enum_value(
        name = "GstAnalytics object detection; an error without libgstanalytics (GStreamer 1.24)",
        nick = "analytics"
    )]
    Analytics,
    /// All three.
    #[enum_value(
        name = "All three; an error without libgstanalytics (GStreamer 1.24)",
        nick = "all"
    )]
    All,
    /// The frames stay as they are.
    #[enum_value(name = "None", nick = "none")]
    None,
}

/// The kinds of meta that frames get here.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Kinds {
    roi: bool,
    custom: bool,
    analytics: Option<&'static Analytics>,
}

impl Kinds {
    /// What `metadata` comes to on this machine.
    pub(super) fn of(metadata: Metadata) -> Result<Self, gst::ErrorMessage> {
        let missing = |why: &str| {
            gst::error_msg!(
                gst::LibraryError::Settings,
                ("GstAnalytics metas cannot be made ({why}): install libgstanalytics, which is in GStreamer's \
                     gst-plugins-bad since 1.24, or set metadata to auto")
            )
        };
        let analytics = match metadata {
            Metadata::Auto => Analytics::get().ok(),
            Metadata::All | Metadata::Analytics => Some(Analytics::get().map_err(missing)?),
            _ => None,
        };
        let any = matches!(metadata, Metadata::Auto | Metadata::All);
        Ok(Self {
            roi: any || metadata == Metadata::Roi,
            custom: any || metadata == Metadata::Custom,
            analytics,
        })
    }

    /// Gives `objects` ids that are theirs alone on `buffer`, and attaches them to it.
    pub(super) fn attach(
        &self,
        buffer: &mut gst::BufferRef,
        objects: &mut [Object],
        about: &About<'_>,
        frame: Size,
    ) {
        objects::number(objects, buffer);
        if let Some(analytics) = self.analytics {
            analytics.attach(buffer, objects, about);
        }
        if self.roi {
            roi::attach(buffer, objects, about, frame);
        }
        if self.custom {
            custom::attach(buffer, objects, about, frame);
        }
    }
}
