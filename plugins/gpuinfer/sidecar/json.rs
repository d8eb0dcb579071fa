//! The sidecar as JSON.

use livetune_core::infer::{Activation, BoxNumbers, ChannelOrder, Family, Layout, Placement, Unit};
use serde_json::{Map, Value};

use super::{Sidecar, Wrong};

const LAYOUTS: [(&str, Layout); 2] = [("nchw", Layout::Planes), ("nhwc", Layout::Interleaved)];
const CHANNELS: [(&str, ChannelOrder); 2] =
    [("rgb", ChannelOrder::Rgb), ("bgr", ChannelOrder::Bgr)];
const PLACEMENTS: [(&str, Placement); 4] = [
    ("top-left", Placement::TopLeft),
    ("centre", Placement::Centred),
    ("stretch", Placement::Stretch),
    ("crop", Placement::Crop),
];
const ACTIVATIONS: [(&str, Activation); 3] = [
    ("none", Activation::None),
    ("sigmoid", Activation::Sigmoid),
    ("softmax", Activation::Softmax),
];
const BOXES: [(&str, BoxNumbers); 4] = [
    ("corners", BoxNumbers::Corners),
    ("corners-row-first", BoxNumbers::CornersRowFirst),
    ("centre", BoxNumbers::Centre),
    ("origin", BoxNumbers::Origin),
];
const UNITS: [(&str, Unit); 2] = [("pixels", Unit::Pixels), ("inputs", Unit::Inputs)];

/// The most of anything that is counted here.
const MOST: u64 = 1_000_000;
/// The most numbers are apart in a picture.
const LARGEST_LEVEL: f64 = 65_535.0;

/// What `text` says, and the keys that nobody understands.
pub(super) fn parse(text: &str) -> Result<(Sidecar, Vec<String>), Wrong> {
    let value: Value =
        serde_json::from_str(text).map_err(|error| Wrong(format!("it is no JSON ({error})")))?;
    let Value::Object(map) = &value else {
        return Err(Wrong(
            "it must be a JSON object: { \"decoder\": ... }".to_owned(),
        ));
    };
    let mut all = Keys::of("", map);
    let names = Family::NAMES.map(|(family, name)| (name, family));
    let mut sidecar = Sidecar {
        decoder: all.one_of("decoder", &names)?,
        ..Sidecar::default()
    };
    if let Some(value) = all.take("input") {
        let Value::Object(map) = value else {
            return Err(all.wrong("input", "an object: { \"width\": ... }", value));
        };
        let mut input = Keys::of("input.", map);
        read_input(&mut input, &mut sidecar)?;
        input.rest(&mut all.unknown);
    }
    read_rest(&mut all, &mut sidecar)?;
    let mut unknown = std::mem::take(&mut all.unknown);
    all.rest(&mut unknown);
    Ok((sidecar, unknown))
}

fn read_input(input: &mut Keys<'_>, sidecar: &mut Sidecar) -> Result<(), Wrong> {
    sidecar.width = input.count("width")?;
    sidecar.height = input.count("height")?;
    sidecar.layout = input.one_of("layout", &LAYOUTS)?;
    sidecar.channels = input.one_of("channels", &CHANNELS)?;
    sidecar.placement = input.one_of("placement", &PLACEMENTS)?;
    sidecar.mean = input.three("mean")?;
    sidecar.scale = input.three("scale")?;
    if let Some(deviation) = input.three("std")? {
        let scale = deviation.map(f32::recip);
        let is_large = |scale: &f32| f64::from(scale.abs()) > LARGEST_LEVEL;
        if sidecar.scale.is_some() || scale.iter().any(is_large) {
            return Err(Wrong(
                "\"input.std\" must not be all but 0 and not be there beside \"input.scale\", its reciprocal"
                    .to_owned(),
            ));
        }
        sidecar.scale = Some(scale);
    }
    if let Some(value) = input.take("padding") {
        let padding = value.as_u64().and_then(|value| u8::try_from(value).ok());
        let wrong = || input.wrong("padding", "a whole number from 0 to 255", value);
        sidecar.padding = Some(padding.ok_or_else(wrong)?);
    }
    Ok(())
}

fn read_rest(all: &mut Keys<'_>, sidecar: &mut Sidecar) -> Result<(), Wrong> {
    sidecar.labels = all.names("labels")?;
    let hints = &mut sidecar.hints;
    hints.classes = all.count("classes")?;
    hints.background = all.flag("background")?;
    hints.first_class = all.count("first-class")?;
    hints.activation = all.one_of("activation", &ACTIVATIONS)?;
    hints.boxes = all.one_of("boxes", &BOXES)?;
    hints.unit = all.one_of("unit", &UNITS)?;
    hints.top = all.count("top")?;
    let advice = &mut sidecar.advice;
    advice.confidence = all.ratio("confidence")?;
    advice.iou = all.ratio("iou")?;
    advice.max_objects = all.count("max-objects")?;
    advice.across_classes = all.flag("class-agnostic")?.unwrap_or(false);
    Ok(())
}

/// The file that the sidecar `text` names for its labels.
pub(in crate::gpuinfer) fn labels_file(text: &str) -> Option<String> {
    let value: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    value.get("labels")?.as_str().map(str::to_owned)
}

/// The keys of an object; what was not asked for is unknown.
struct Keys<'a> {
    /// What stands before a key in messages.
    prefix: &'static str,
    map: &'a Map<String, Value>,
    asked: Vec<&'static str>,
    unknown: Vec<String>,
}

impl<'a> Keys<'a> {
    const fn of(prefix: &'static str, map: &'a Map<String, Value>) -> Self {
        Self {
            prefix,
            map,
            asked: Vec::new(),
            unknown: Vec::new(),
        }
    }

    fn take(&mut self, key: &'static str) -> Option<&'a Value> {
        self.asked.push(key);
        self.map.get(key)
    }

    /// Adds the keys that were not asked for to `unknown`.
    fn rest(&self, unknown: &mut Vec<String>) {
        let others = self
            .map
            .keys()
            .filter(|key| !self.asked.contains(&key.as_str()));
        unknown.extend(others.map(|key| {
            let known = self.asked.join(", ");
            format!("\"{}{key}\" (understood are {known})", self.prefix)
        }));
    }

    fn wrong(&self, key: &str, right: &str, value: &Value) -> Wrong {
        Wrong(format!(
            "\"{}{key}\" must be {right}, not {value}",
            self.prefix
        ))
    }

    fn one_of<T: Copy>(
        &mut self,
        key: &'static str,
        all: &[(&str, T)],
    ) -> Result<Option<T>, Wrong> {
        let Some(value) = self.take(key) else {
            return Ok(None);
        };
        let is_it = |(name, _): &&(&str, T)| value.as_str() == Some(*name);
        if let Some((_, meant)) = all.iter().find(is_it) {
            return Ok(Some(*meant));
        }
        let names: Vec<String> = all.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        Err(self.wrong(key, &format!("one of {}", names.join(", ")), value))
    }

    fn count(&mut self, key: &'static str) -> Result<Option<usize>, Wrong> {
        let Some(value) = self.take(key) else {
            return Ok(None);
        };
        match value.as_u64().filter(|count| *count <= MOST) {
            Some(count) => Ok(Some(count as usize)),
            None => Err(self.wrong(key, "a whole number", value)),
        }
    }

    fn flag(&mut self, key: &'static str) -> Result<Option<bool>, Wrong> {
        let Some(value) = self.take(key) else {
            return Ok(None);
        };
        let flag = value.as_bool();
        flag.map(Some)
            .ok_or_else(|| self.wrong(key, "true or false", value))
    }

    fn ratio(&mut self, key: &'static str) -> Result<Option<f32>, Wrong> {
        let Some(value) = self.take(key) else {
            return Ok(None);
        };
        match value.as_f64().filter(|ratio| (0.0..=1.0).contains(ratio)) {
            Some(ratio) => Ok(Some(ratio as f32)),
            None => Err(self.wrong(key, "a number from 0 to 1", value)),
        }
    }

    /// One number for all channels or one for each.
    fn three(&mut self, key: &'static str) -> Result<Option<[f32; 3]>, Wrong> {
        let Some(value) = self.take(key) else {
            return Ok(None);
        };
        let number = |value: &Value| {
            let number = value.as_f64();
            number.filter(|number| number.abs() <= LARGEST_LEVEL)
        };
        let numbers = match value {
            Value::Array(values) => values.iter().map(number).collect::<Option<Vec<f64>>>(),
            value => number(value).map(|number| vec![number; 3]),
        };
        match numbers.as_deref() {
            Some(&[a, b, c]) => Ok(Some([a as f32, b as f32, c as f32])),
            _ => Err(self.wrong(key, "a number or a list of three", value)),
        }
    }

    /// A list of names as lines; the name of a file is read elsewhere.
    fn names(&mut self, key: &'static str) -> Result<Option<String>, Wrong> {
        let Some(value) = self.take(key) else {
            return Ok(None);
        };
        let right = "a list of names or the path of a file with one name a line";
        match value {
            Value::String(_) => Ok(None),
            Value::Array(values) => {
                let names: Option<Vec<&str>> = values.iter().map(Value::as_str).collect();
                let names =
                    names.filter(|names| !names.iter().any(|name| name.contains(['\n', '\0'])));
                let names = names.ok_or_else(|| self.wrong(key, right, value))?;
                Ok(Some(names.join("\n")))
            }
            value => Err(self.wrong(key, right, value)),
        }
    }
}
