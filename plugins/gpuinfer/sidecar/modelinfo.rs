//! The sidecar as GStreamer 1.28 has it, `model.onnx.modelinfo`
//! (<https://gstreamer.freedesktop.org/documentation/analytics/GstAnalyticsModelInfo.html>): sections named after
//! tensors, of which the input's says ranges, dims and caps, and the ids of the outputs say what they are.

use livetune_core::infer::{BoxNumbers, ChannelOrder, Family, Layout};

use super::{Sidecar, Wrong};

/// The section that is no tensor's.
const ITSELF: &str = "modelinfo";
/// How the ids of output tensors begin (<https://github.com/collabora/tensor-id-registry>).
const DECODERS: [(&str, Family); 9] = [
    ("yolo-v8", Family::YoloV8),
    ("yolo-v5", Family::YoloV5),
    ("yolo-26", Family::YoloV8Nms),
    ("yolo-v10", Family::YoloV8Nms),
    ("yolox", Family::YoloX),
    ("ssd-mobilenet", Family::Ssd),
    ("ultra-lightweight-face", Family::UltraFace),
    ("classification", Family::Classification),
    ("rt-detr", Family::RtDetr),
];

/// A section and its keys.
struct Section<'a> {
    name: &'a str,
    entries: Vec<(&'a str, &'a str)>,
}

impl<'a> Section<'a> {
    fn get(&self, key: &str) -> Option<&'a str> {
        let mut entries = self.entries.iter();
        entries.find_map(|(own, value)| (*own == key).then_some(*value))
    }
}

/// Whether `text` is in this form.
pub(super) fn is_one(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with('#'));
    // A list in JSON has no name behind its bracket.
    let is_name = |rest: &str| rest.starts_with(|first: char| first.is_alphabetic());
    first.is_some_and(|line| line.ends_with(']') && line.strip_prefix('[').is_some_and(is_name))
}

/// What `text` says, and what of it says nothing to us.
pub(super) fn parse(text: &str) -> Result<(Sidecar, Vec<String>), Wrong> {
    let sections = sections(text)?;
    let mut sidecar = Sidecar::default();
    let mut ids = Vec::new();
    for section in &sections {
        if section.name == ITSELF {
            check_version(section)?;
            ids.extend(section.get("group-id"));
        } else if section.get("dir") == Some("input") {
            read_input(section, &mut sidecar)?;
        } else {
            ids.extend(section.get("id"));
        }
    }
    let decoder = |id: &&str| DECODERS.iter().find(|(start, _)| id.starts_with(start));
    sidecar.decoder = ids.iter().find_map(decoder).map(|(_, family)| *family);
    if sidecar.decoder == Some(Family::Ssd) {
        sidecar.hints.boxes = Some(BoxNumbers::CornersRowFirst);
    }
    let unknown = if sidecar.decoder.is_none() && !ids.is_empty() {
        let starts: Vec<&str> = DECODERS.iter().map(|(start, _)| *start).collect();
        let (ids, starts) = (ids.join(", "), starts.join("..., "));
        vec![format!(
            "the ids {ids} (understood are those that begin with {starts}...)"
        )]
    } else {
        Vec::new()
    };
    Ok((sidecar, unknown))
}

fn sections(text: &str) -> Result<Vec<Section<'_>>, Wrong> {
    let mut sections: Vec<Section<'_>> = Vec::new();
    for (number, line) in text.lines().map(str::trim).enumerate() {
        if line.is_empty() || line.starts_with(['#', ';']) {
            continue;
        }
        let name = line
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'));
        if let Some(name) = name {
            let entries = Vec::new();
            sections.push(Section { name, entries });
            continue;
        }
        let entry = line.split_once('=');
        let (Some((key, value)), Some(section)) = (entry, sections.last_mut()) else {
            return Err(Wrong(format!(
                "line {} must be [section] or key=value in one, not {line:?}",
                number + 1
            )));
        };
        section.entries.push((key.trim(), value.trim()));
    }
    Ok(sections)
}

fn check_version(section: &Section<'_>) -> Result<(), Wrong> {
    match section.get("version") {
        None => Ok(()),
        Some(version) if version.split('.').next() == Some("1") => Ok(()),
        Some(version) => Err(Wrong(format!(
            "the version of a .modelinfo must be 1.x, not {version:?}"
        ))),
    }
}

fn read_input(section: &Section<'_>, sidecar: &mut Sidecar) -> Result<(), Wrong> {
    if let Some(dims) = section.get("dims") {
        read_dims(dims, sidecar)?;
    }
    if let Some(ranges) = section.get("ranges") {
        read_ranges(ranges, sidecar)?;
    }
    let caps = section.get("caps").unwrap_or_default();
    let format = caps.split(',').find_map(|part| {
        let value = part.trim().strip_prefix("format=")?;
        Some(value.trim_start_matches("(string)").trim_matches('"'))
    });
    sidecar.channels = match format {
        Some("RGB") => Some(ChannelOrder::Rgb),
        Some("BGR") => Some(ChannelOrder::Bgr),
        _ => sidecar.channels,
    };
    Ok(())
}

fn read_dims(dims: &str, sidecar: &mut Sidecar) -> Result<(), Wrong> {
    let numbers = dims.trim_end_matches(';').split([',', ';']);
    let numbers: Result<Vec<i64>, _> = numbers.map(|dim| dim.trim().parse()).collect();
    let wrong = || {
        Wrong(format!(
            "dims of the input must be four whole numbers, -1 for any, not {dims:?}"
        ))
    };
    let numbers = numbers.map_err(|_| wrong())?;
    let &[_, a, b, c] = &numbers[..] else {
        return Err(wrong());
    };
    let (layout, height, width) = if c == 3 && a != 3 {
        (Layout::Interleaved, a, b)
    } else {
        (Layout::Planes, b, c)
    };
    let fixed = |side: i64| usize::try_from(side).ok().filter(|side| *side > 0);
    sidecar.layout = Some(layout);
    (sidecar.width, sidecar.height) = (fixed(width), fixed(height));
    Ok(())
}

/// Each channel's numbers for 0 and for 255.
fn read_ranges(ranges: &str, sidecar: &mut Sidecar) -> Result<(), Wrong> {
    let wrong = || {
        Wrong(format!(
            "ranges of the input must be one or three pairs of two different numbers like 0.0,1.0;0.0,1.0;0.0,1.0, \
             not {ranges:?}"
        ))
    };
    let pair = |pair: &str| {
        let (low, high) = pair.split_once(',')?;
        let (low, high): (f32, f32) = (low.trim().parse().ok()?, high.trim().parse().ok()?);
        let scale = (high - low) / 255.0;
        let mean = -low / scale;
        (scale != 0.0 && scale.is_finite() && mean.is_finite()).then_some((mean, scale))
    };
    let pairs = ranges.split(';').filter(|part| !part.trim().is_empty());
    let pairs: Option<Vec<(f32, f32)>> = pairs.map(pair).collect();
    let channels = match pairs.as_deref() {
        Some(&[all]) => [all; 3],
        Some(&[a, b, c]) => [a, b, c],
        _ => return Err(wrong()),
    };
    sidecar.mean = Some(channels.map(|(mean, _)| mean));
    sidecar.scale = Some(channels.map(|(_, scale)| scale));
    Ok(())
}
