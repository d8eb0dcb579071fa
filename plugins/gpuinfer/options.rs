//! What is known of a model besides its file.

use std::fs;

/// What is known of a model besides its file. Other files are here with their contents, so that equal options make
/// equal networks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct ModelOptions {
    /// A class name per line.
    pub(super) labels: Option<Document>,
    /// Sizes that the engine was built for, rising: a batch is made as large as the next. Empty: any size is right.
    pub(super) batch_sizes: Vec<usize>,
}

/// A file of text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Document {
    pub(super) path: String,
    pub(super) text: String,
}

/// A name per line for more classes than any detector has.
const LARGEST_TEXT: u64 = 16 * 1024 * 1024;

impl ModelOptions {
    /// With the files of these paths, as the properties name them.
    pub(super) fn read(labels: Option<&str>) -> Result<Self, gst::ErrorMessage> {
        let labels = labels.filter(|path| !path.is_empty());
        let labels = labels.map(|path| Document::read("labels", path, "one name a line"));
        Ok(Self {
            labels: labels.transpose()?,
            batch_sizes: Vec::new(),
        })
    }
}

impl Document {
    /// The file at `path`, which `property` names and which should have `lines`.
    fn read(property: &str, path: &str, lines: &str) -> Result<Self, gst::ErrorMessage> {
        check_file(property, path, LARGEST_TEXT)?;
        let unreadable = |why: String| {
            gst::error_msg!(
                gst::ResourceError::Read,
                ("The {property} {path} cannot be read ({why}): the property {property} wants a text file in UTF-8, {lines}")
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
