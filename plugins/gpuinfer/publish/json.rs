//! A frame's objects as JSON, in the schema of gvametaconvert.

use std::io::Write;

use livetune_core::infer::Size;
use livetune_core::time::nanos;

use crate::gpuinfer::objects::{Object, What};
use crate::gpuinfer::presenter::About;
use crate::gpuinfer::tensors::Tensor;

/// Writes one line for a frame of the size `frame` into `line`. Its fields are those of gvametaconvert, and besides
/// `inferred`, `age` and `model`.
pub(super) fn write(line: &mut Vec<u8>, objects: &[Object], about: &About<'_>, frame: Size) {
    let Size { width, height } = frame;
    let _ = write!(
        line,
        r#"{{"resolution":{{"width":{width},"height":{height}}},"source":"#
    );
    string(line, about.source);
    if let Some(time) = about.stream_time {
        let _ = write!(line, r#","timestamp":{}"#, time.nseconds());
    }
    let _ = write!(
        line,
        r#","inferred":{},"age":{}"#,
        about.inferred,
        nanos(about.age)
    );
    line.extend_from_slice(br#","model":"#);
    string(line, about.model);
    line.extend_from_slice(br#","objects":["#);
    for (at, object) in objects.iter().enumerate() {
        if at > 0 {
            line.push(b',');
        }
        write_object(line, object, about, frame);
    }
    write_tensors(line, objects.is_empty(), about);
    line.extend_from_slice(b"}\n");
}

fn write_object(line: &mut Vec<u8>, object: &Object, about: &About<'_>, frame: Size) {
    let (x, y, w, h) = object.rect;
    let is_own = object.what == What::Detected;
    // A classification is told of the object that it is of.
    let id = object.parent.filter(|_| !is_own).unwrap_or(object.id);
    let _ = write!(
        line,
        r#"{{"x":{x},"y":{y},"w":{w},"h":{h},"region_id":{id}"#
    );
    if let Some(track) = object.track {
        let _ = write!(line, r#","id":{track}"#);
    }
    if let Some(parent) = object.parent.filter(|_| is_own) {
        let _ = write!(line, r#","parent_id":{parent}"#);
    }
    if is_own {
        write_detection(line, object, about, frame);
    } else {
        line.push(b',');
        string(line, about.attribute());
        line.extend_from_slice(br#":{"model":{"name":"#);
        string(line, about.model);
        line.push(b'}');
    }
    line.extend_from_slice(br#","confidence":"#);
    number(line, f64::from(object.confidence));
    let _ = write!(line, r#","label_id":{},"label":"#, object.class);
    string(line, about.labels.name(object.class));
    line.extend_from_slice(b"}}");
}

/// The end of the objects, with those that a network's outputs as they are belong to, and the outputs of the frame.
fn write_tensors(line: &mut Vec<u8>, mut is_first: bool, about: &About<'_>) {
    let of_objects = about
        .tensors
        .chunk_by(|one, next| one.parent == next.parent);
    for tensors in of_objects {
        let [
            Tensor {
                region,
                parent: Some(id),
                ..
            },
            ..,
        ] = tensors
        else {
            continue;
        };
        if !std::mem::take(&mut is_first) {
            line.push(b',');
        }
        let (x, y, w, h) = (region.left, region.top, region.width, region.height);
        let _ = write!(
            line,
            r#"{{"x":{x},"y":{y},"w":{w},"h":{h},"region_id":{id},"tensors":["#
        );
        write_list(line, tensors.iter(), about);
        line.extend_from_slice(b"]}");
    }
    line.push(b']');
    let of_frame = || {
        about
            .tensors
            .iter()
            .filter(|tensor| tensor.parent.is_none())
    };
    if of_frame().next().is_some() {
        line.extend_from_slice(br#","tensors":["#);
        write_list(line, of_frame(), about);
        line.push(b']');
    }
}

fn write_list<'a>(
    line: &mut Vec<u8>,
    tensors: impl Iterator<Item = &'a Tensor>,
    about: &About<'_>,
) {
    for (at, tensor) in tensors.enumerate() {
        if at > 0 {
            line.push(b',');
        }
        tensor.write_json(line, about);
    }
}

/// All but what goes for classifications too.
fn write_detection(line: &mut Vec<u8>, object: &Object, about: &About<'_>, frame: Size) {
    line.extend_from_slice(br#","roi_type":"#);
    string(line, about.labels.name(object.class));
    line.extend_from_slice(br#","detection":{"bounding_box":{"#);
    let (width, height) = (f64::from(frame.width), f64::from(frame.height));
    let area = object.area;
    for (name, edge) in [
        (&br#""x_min":"#[..], f64::from(area.left) / width),
        (br#","x_max":"#, f64::from(area.right) / width),
        (br#","y_min":"#, f64::from(area.top) / height),
        (br#","y_max":"#, f64::from(area.bottom) / height),
    ] {
        line.extend_from_slice(name);
        number(line, edge);
    }
    line.push(b'}');
}

/// Writing into memory does not fail, in this and the next function.
fn string(line: &mut Vec<u8>, text: &str) {
    let _ = serde_json::to_writer(line, text);
}

fn number(line: &mut Vec<u8>, number: f64) {
    let _ = serde_json::to_writer(line, &number);
}
