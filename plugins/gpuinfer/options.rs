//! What is known of a model besides its file.

use std::fs;
use std::path::Path;

use gst::glib;
use livetune_core::infer::Family;

use super::sidecar::{Sidecar, labels_file};

/// Who reads the network's outputs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, glib::Enum)]
#[enum_type(name = "GstLiveTuneGpuInferDecoder")]
#[non_exhaustive]
pub enum DecoderChoice {
    /// Whoever the sidecar names, or the shapes of the outputs speak for.
    #[default]
    #[enum_value(name = "By the sidecar or the shapes of the outputs", nick = "auto")]
    Auto,
    /// YOLOX without decoding inside.
    #[enum_value(name = "YOLOX, boxes relative to cells", nick = "yolox")]
    YoloX,
    /// YOLOv5 and v7.
    #[enum_value(
        name = "YOLOv5 and v7, one row per box with objectness",
        nick = "yolov5"
    )]
    YoloV5,
    /// YOLOv8 to v12.
    #[enum_value(name = "YOLOv8 to v12, one column per box", nick = "yolov8")]
    YoloV8,
    /// YOLO with suppression inside.
    #[enum_value(name = "YOLO with NMS inside, v10 and 26", nick = "yolov8-nms")]
    YoloV8Nms,
    /// Single shot detectors.
    #[enum_value(
        name = "SSD: boxes and scores, or TensorFlow's four outputs",
        nick = "ssd"
    )]
    Ssd,
    /// NanoDet.
    #[enum_value(name = "NanoDet and NanoDet-Plus", nick = "nanodet")]
    NanoDet,
    /// UltraFace.
    #[enum_value(name = "UltraFace", nick = "ultraface")]
    UltraFace,
    /// YuNet.
    #[enum_value(name = "YuNet", nick = "yunet")]
    YuNet,
    /// Transformers.
    #[enum_value(name = "RT-DETR and DETR", nick = "rt-detr")]
    RtDetr,
    /// Classifiers.
    #[enum_value(name = "Classification of the whole picture", nick = "classification")]
    Classification,
    /// Nobody: outputs are handed on.
    #[enum_value(name = "None: outputs as they are", nick = "raw")]
    Raw,
}

/// What is known of a model besides its file. Other files are here with their contents, so that equal options make
/// equal networks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct ModelOptions {
    pub(super) decoder: DecoderChoice,
    /// A class name per line.
    pub(super) labels: Option<Document>,
    /// The sidecar.
    pub(super) config: Option<Document>,
    /// Sizes that the engine was built for, rising: a batch is made as large as the next. Empty: any size is right.
    pub(super) batch_sizes: Vec<usize>,
}

/// A file of text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Document {
    pub(super) path: String,
    pub(super) text: String,
}

/// What the properties say of a model.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Said<'a> {
    pub(super) model: &'a str,
    pub(super) decoder: DecoderChoice,
    pub(super) labels: Option<&'a str>,
    pub(super) config: Option<&'a str>,
}

/// A name per line for more classes than any detector has.
const LARGEST_TEXT: u64 = 16 * 1024 * 1024;

impl DecoderChoice {
    /// The family it reads, unless that is to be found out.
    pub(super) const fn family(self) -> Option<Family> {
        Some(match self {
            Self::Auto => return None,
            Self::YoloX => Family::YoloX,
            Self::YoloV5 => Family::YoloV5,
            Self::YoloV8 => Family::YoloV8,
            Self::YoloV8Nms => Family::YoloV8Nms,
            Self::Ssd => Family::Ssd,
            Self::NanoDet => Family::NanoDet,
            Self::UltraFace => Family::UltraFace,
            Self::YuNet => Family::YuNet,
            Self::RtDetr => Family::RtDetr,
            Self::Classification => Family::Classification,
            Self::Raw => Family::Raw,
        })
    }
}

impl ModelOptions {
    /// Reads the files that the properties name, and those that lie beside the model.
    pub(super) fn read(said: Said<'_>) -> Result<Self, gst::ErrorMessage> {
        let named = |path: Option<&str>| path.filter(|path| !path.is_empty()).map(str::to_owned);
        let config = named(said.config).or_else(|| beside(said.model));
        let config = config
            .map(|path| Document::read("model-config", &path, "JSON or .modelinfo"))
            .transpose()?;
        let labels = named(said.labels).or_else(|| {
            let config = config.as_ref()?;
            let file = labels_file(&config.text)?;
            let folder = Path::new(&config.path).parent()?;
            Some(folder.join(file).to_string_lossy().into_owned())
        });
        let labels = labels
            .map(|path| Document::read("labels", &path, "one name a line"))
            .transpose()?;
        Ok(Self {
            decoder: said.decoder,
            labels,
            config,
            batch_sizes: Vec::new(),
        })
    }

    /// What the sidecar says, and what in it nobody understands; the error says what is wrong.
    pub(super) fn sidecar(&self) -> Result<(Sidecar, Vec<String>), String> {
        let Some(document) = &self.config else {
            return Ok((Sidecar::default(), Vec::new()));
        };
        let path = &document.path;
        let (sidecar, unknown) = Sidecar::parse(document)
            .map_err(|wrong| format!("in its sidecar {path} something is wrong: {wrong}"))?;
        let warnings = unknown
            .into_iter()
            .map(|entry| format!("Nobody understands an entry of the sidecar {path}: {entry}"));
        Ok((sidecar, warnings.collect()))
    }
}

/// The sidecar that lies beside `model`.
fn beside(model: &str) -> Option<String> {
    let path = Path::new(model);
    let longer = |extension: &str| Path::new(&format!("{model}.{extension}")).to_owned();
    let all = [
        path.with_extension("json"),
        longer("json"),
        longer("modelinfo"),
        path.with_extension("modelinfo"),
    ];
    let found = all.into_iter().find(|file| file != path && file.is_file());
    found.map(|file| file.to_string_lossy().into_owned())
}

impl Document {
    /// The file at `path`, which `property` may name and which should be `right`.
    fn read(property: &str, path: &str, right: &str) -> Result<Self, gst::ErrorMessage> {
        check_file(property, path, LARGEST_TEXT)?;
        let unreadable = |why: String| {
            gst::error_msg!(
                gst::ResourceError::Read,
                ("The {property} {path} cannot be read ({why}): the property {property} wants a text file in UTF-8, {right}")
            )
        };
        let text = fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
        // English text in UTF-16 is UTF-8 too, with a zero byte behind every letter; names in metas cannot hold those.
        if text.contains('\0') {
            return Err(unreadable("it has zero bytes, as UTF-16 has".to_owned()));
        }
        let path = path.to_owned();
        Ok(Self { path, text })
    }
}

/// Refuses what is not there, is no file (a pipe would never end) or is too large to be what it should be.
pub(super) fn check_file(
    property: &str,
    path: &str,
    largest: u64,
) -> Result<(), gst::ErrorMessage> {
    let metadata = fs::metadata(path).map_err(|error| {
        gst::error_msg!(
            gst::ResourceError::NotFound,
            ("The file {path} cannot be opened ({error}): set the property {property} to the path of a file")
        )
    })?;
    if metadata.is_file() && metadata.len() <= largest {
        return Ok(());
    }
    Err(gst::error_msg!(
        gst::ResourceError::OpenRead,
        ("{path} is no file of at most {largest} bytes: set the property {property} to the path of one")
    ))
}
