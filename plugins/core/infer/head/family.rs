//! Families of networks: those that share the meaning of the outputs and the form of the input.

use super::super::letterbox::Placement;
use super::super::tensor::{ChannelOrder, Normalisation};

/// A family of networks that shares the meaning of the outputs and the form of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Family {
    /// Megvii's: centre relative to its cell, logarithm of the size, objectness, classes.
    YoloX,
    /// Ultralytics' up to version 5, and version 7: centre and size in pixels, objectness, classes; one row per box.
    YoloV5,
    /// Ultralytics' since version 8: centre and size in pixels of the input, classes; one row per number.
    YoloV8,
    /// The same with what comes after it inside, and those that need none: corners in pixels, confidence, class.
    YoloV8Nms,
    /// Single shot detectors: boxes and scores, or TensorFlow's boxes, classes, scores and their number.
    Ssd,
    /// RangiLyu's: classes, and the distance of each edge as a distribution over 0 to 7 strides.
    NanoDet,
    /// Linzaer's face detector: scores of background and face, corners.
    UltraFace,
    /// Shiqi Yu's face detector: for each of three strides class, objectness, box and landmarks.
    YuNet,
    /// Transformers: centre and size in widths and heights of the input, classes; in one output or two.
    RtDetr,
    /// What the picture as a whole shows.
    Classification,
    /// Whatever it is, it is handed on.
    Raw,
}

/// What torchvision takes off pictures that are 0..255, and divides them by: red, green, blue.
const IMAGENET_MEAN: [f32; 3] = [123.675, 116.28, 103.53];
const IMAGENET_DEVIATION: [f32; 3] = [58.395, 57.12, 57.375];

impl Family {
    /// Those that shapes speak for, the most demanding first.
    pub(super) const BY_SHAPE: [Self; 10] = [
        Self::YuNet,
        Self::NanoDet,
        Self::UltraFace,
        Self::YoloV5,
        Self::YoloX,
        Self::YoloV8,
        Self::YoloV8Nms,
        Self::RtDetr,
        Self::Ssd,
        Self::Classification,
    ];

    /// All of them and what they are called.
    pub const NAMES: [(Self, &'static str); 11] = [
        (Self::YoloX, "yolox"),
        (Self::YoloV5, "yolov5"),
        (Self::YoloV8, "yolov8"),
        (Self::YoloV8Nms, "yolov8-nms"),
        (Self::Ssd, "ssd"),
        (Self::NanoDet, "nanodet"),
        (Self::UltraFace, "ultraface"),
        (Self::YuNet, "yunet"),
        (Self::RtDetr, "rt-detr"),
        (Self::Classification, "classification"),
        (Self::Raw, "raw"),
    ];

    /// The family of this name.
    pub fn named(name: &str) -> Option<Self> {
        let mut names = Self::NAMES.into_iter();
        names.find_map(|(family, own)| (own == name).then_some(family))
    }

    /// What it is called.
    pub fn name(self) -> &'static str {
        let mut names = Self::NAMES.into_iter();
        let own = names.find(|(family, _)| *family == self);
        own.map_or("", |(_, name)| name)
    }

    /// Where whole frames go in the input.
    pub const fn placement(self) -> Placement {
        match self {
            Self::YoloX | Self::YuNet => Placement::TopLeft,
            Self::YoloV5 | Self::YoloV8 | Self::YoloV8Nms => Placement::Centred,
            Self::Ssd | Self::NanoDet | Self::UltraFace | Self::RtDetr | Self::Raw => {
                Placement::Stretch
            }
            Self::Classification => Placement::Crop,
        }
    }

    /// Where parts of frames go: of an object all is looked at.
    pub const fn placement_of_regions(self) -> Placement {
        match self {
            Self::Classification => Placement::Stretch,
            _ => self.placement(),
        }
    }

    /// How pixels become numbers.
    pub fn normalisation(self) -> Normalisation {
        let rgb = Normalisation::plain(ChannelOrder::Rgb);
        let bgr = Normalisation::plain(ChannelOrder::Bgr);
        match self {
            // Grey around the frame: YOLO was trained with 114.
            Self::YoloX => Normalisation {
                padding: 114,
                ..bgr
            },
            Self::YoloV5 | Self::YoloV8 | Self::YoloV8Nms => Normalisation {
                scale: [1.0 / 255.0; 3],
                padding: 114,
                ..rgb
            },
            Self::RtDetr | Self::Raw => Normalisation {
                scale: [1.0 / 255.0; 3],
                ..rgb
            },
            Self::Ssd | Self::UltraFace => Normalisation {
                mean: [127.0; 3],
                scale: [1.0 / 128.0; 3],
                ..rgb
            },
            Self::NanoDet => Normalisation {
                mean: reversed(IMAGENET_MEAN),
                scale: reversed(IMAGENET_DEVIATION).map(f32::recip),
                ..bgr
            },
            Self::YuNet => bgr,
            Self::Classification => Normalisation {
                mean: IMAGENET_MEAN,
                scale: IMAGENET_DEVIATION.map(f32::recip),
                ..rgb
            },
        }
    }
}

const fn reversed([red, green, blue]: [f32; 3]) -> [f32; 3] {
    [blue, green, red]
}
