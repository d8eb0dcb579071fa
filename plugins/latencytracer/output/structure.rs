//! A snapshot as nested structures, which C and every binding of GStreamer can read.
//!
//! ```text
//! livetune-snapshot { <pipeline> = pipeline { <sink> = path { source, sink, stages = stages { <stage> = stage {...} },
//!     bottleneck, bottleneck-reason, remainder, figures of the end } } }
//! ```
//!
//! Fields lie in stream order. A name that is no field name has its odd characters replaced; the true ones are inside.

use gst::glib::prelude::*;

use super::figures::{of_path, of_stage};
use super::model::{Path, Snapshot, Stage};
use crate::runtime::figures;

/// `snapshot` as `livetune-snapshot`.
pub(crate) fn structure(snapshot: &Snapshot) -> gst::Structure {
    let mut pipelines: Vec<(&str, gst::Structure)> = Vec::new();
    for path in &snapshot.paths {
        let known = pipelines
            .iter()
            .position(|(name, _)| *name == path.pipeline);
        let at = known.unwrap_or_else(|| {
            pipelines.push((&path.pipeline, gst::Structure::new_empty("pipeline")));
            pipelines.len() - 1
        });
        put(&mut pipelines[at].1, &path.sink, &way(path));
    }
    let mut whole = gst::Structure::new_empty("livetune-snapshot");
    for (name, pipeline) in &pipelines {
        put(&mut whole, name, pipeline);
    }
    whole
}

/// `path` as the message `livetune-latency`: the figures of its end, and in it the stages.
pub(crate) fn message(path: &Path) -> gst::Structure {
    let mut message = way(path);
    message.set_name("livetune-latency");
    message.set("pipeline", &path.pipeline);
    message
}

fn way(path: &Path) -> gst::Structure {
    let mut stages = gst::Structure::new_empty("stages");
    for one in &path.stages {
        put(&mut stages, &one.name, &stage(one));
    }
    let mut way = figures::structure("path", &of_path(path));
    way.set("source", &path.source);
    way.set("sink", &path.sink);
    way.set("stages", stages);
    way
}

fn stage(stage: &Stage) -> gst::Structure {
    let kind = if stage.queue { "queue" } else { "stage" };
    figures::structure(kind, &of_stage(stage))
}

/// Puts `inner` into `outer` under `name`, or under one with a number where there is one of that name.
fn put(outer: &mut gst::Structure, name: &str, inner: &gst::Structure) {
    let legal = legal(name);
    let numbered = (2..).map(|n| format!("{legal}-{n}"));
    let mut free = std::iter::once(legal.clone()).chain(numbered);
    if let Some(name) = free.find(|name| !outer.has_field(name)) {
        outer.set_value(name, inner.to_send_value());
    }
}

/// `name` as GStreamer can write and read it (gst_structure_to_string): a letter first, then letters, digits and marks.
fn legal(name: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "/-_.:+".contains(c);
    let body: String = name
        .chars()
        .map(|c| if allowed(c) { c } else { '-' })
        .collect();
    if body.starts_with(|c: char| c.is_ascii_alphabetic()) {
        body
    } else {
        format!("x{body}")
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::snapshot;
    use super::*;
    use gst::glib::GStr;

    fn inner(outer: &gst::StructureRef, name: &str) -> gst::Structure {
        outer.get(name).expect("a structure inside")
    }

    #[test]
    fn stages_lie_in_stream_order_under_pipeline_and_sink() {
        gst::init().expect("GStreamer starts");
        let whole = structure(&snapshot());
        assert_eq!(whole.name(), "livetune-snapshot");
        let path = inner(&inner(&whole, "camera"), "autovideosink0");
        assert_eq!(path.name(), "path");
        assert_eq!(path.get("source"), Ok("v4l2src0"));
        assert_eq!(path.get("remainder"), Ok(-1_500_000_i64));
        assert_eq!(path.get("bottleneck"), Ok("x264enc0"));
        assert_eq!(path.get("bottleneck-reason"), Ok("75 % of the time"));
        assert_eq!(path.get("max"), Ok(52_000_000_u64));
        let stages = inner(&path, "stages");
        let names: Vec<&str> = stages.fields().map(GStr::as_str).collect();
        assert_eq!(names, ["v4l2src0", "queue0", "x264enc0"]);
        let queue = inner(&stages, "queue0");
        assert_eq!(
            (queue.name().as_str(), queue.get("fill")),
            ("queue", Ok(0.5))
        );
        let encoder = inner(&stages, "x264enc0");
        assert_eq!(encoder.get("lost"), Ok(3_u64));
        assert_eq!(encoder.get("transit-max"), Ok(40_000_000_u64));
        assert_eq!(encoder.get("share"), Ok(0.75));
    }

    #[test]
    fn any_name_makes_a_structure_that_can_be_written_and_read() {
        gst::init().expect("GStreamer starts");
        let mut odd = snapshot();
        odd.paths.push(odd.paths[0].clone());
        odd.paths[1].stages[0].name = "0 bin, größe=\"x\"".to_owned();
        odd.paths[1].stages[1].name = "0-bin--gr--e--x-".to_owned();
        let whole = structure(&odd);
        let read: gst::Structure = whole.to_string().parse().expect("it was written");
        let pipeline = inner(&read, "camera");
        assert_eq!(pipeline.n_fields(), 2);
        let stages = inner(&inner(&pipeline, "autovideosink0-2"), "stages");
        let names: Vec<&str> = stages.fields().map(GStr::as_str).collect();
        assert_eq!(
            names,
            ["x0-bin--gr--e--x-", "x0-bin--gr--e--x--2", "x264enc0"]
        );
        let first = inner(&stages, names[0]);
        assert_eq!(first.get("stage"), Ok("0 bin, größe=\"x\""));
    }
}
