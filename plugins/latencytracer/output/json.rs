//! JSON lines: one object for each stage of a report, and one for the end of each path.

use serde_json::{Map, Value as Json, json};

use super::Occasion;
use super::figures;
use super::model::{Path, Snapshot, Stage};
use crate::runtime::figures::{Figure, Value};
use livetune_core::time::nanos;

/// `snapshot` as lines. Times in nanoseconds (`time` since the Unix epoch), rates in bits per second.
pub(super) fn lines(snapshot: &Snapshot, occasion: &Occasion) -> String {
    let mut text = String::new();
    for path in &snapshot.paths {
        let objects = path
            .stages
            .iter()
            .map(|stage| object(path, stage, occasion));
        for object in objects.chain([end(path, occasion)]) {
            text.push_str(&Json::Object(object).to_string());
            text.push('\n');
        }
    }
    text
}

fn object(path: &Path, stage: &Stage, occasion: &Occasion) -> Map<String, Json> {
    let kind = if stage.queue { "queue" } else { "stage" };
    let mut object = head(path, kind, occasion);
    object.extend(fields(&figures::of_stage(stage)));
    object
}

/// What the whole path comes to.
fn end(path: &Path, occasion: &Occasion) -> Map<String, Json> {
    let mut object = head(path, "end", occasion);
    object.extend(fields(&figures::of_path(path)));
    object
}

fn head(path: &Path, kind: &str, occasion: &Occasion) -> Map<String, Json> {
    let fields = [
        ("time", json!(occasion.time.as_nanos())),
        ("duration", json!(nanos(occasion.length))),
        ("pipeline", json!(path.pipeline)),
        ("path", json!(path.to_string())),
        ("kind", json!(kind)),
    ];
    fields
        .map(|(name, value)| (name.to_owned(), value))
        .into_iter()
        .collect()
}

fn fields(figures: &[Figure]) -> impl Iterator<Item = (String, Json)> {
    let fields = figures.iter();
    fields.filter_map(|figure| Some((figure.name.to_owned(), value(&figure.value)?)))
}

fn value(value: &Value) -> Option<Json> {
    Some(match value {
        Value::Count(n) | Value::Level(n) | Value::Bytes(n) => json!(n),
        Value::Offset(n) => json!(n),
        Value::Number(x) => json!(x),
        Value::Duration(duration) => json!(nanos(*duration)),
        Value::Bitrate(rate) => json!(rate.as_bps()),
        Value::Ratio(ratio) => json!(ratio.as_f64()),
        Value::Text(text) => json!(text),
        Value::Distribution(_) | Value::Sizes(_) | Value::Durations(_) | Value::Counts(_) => {
            return None;
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::sample::{occasion, snapshot};
    use super::*;

    #[test]
    fn every_stage_and_every_end_is_one_object() {
        let text = lines(&snapshot(), &occasion());
        let objects: Vec<Json> = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("a line of JSON"))
            .collect();
        let kinds: Vec<&str> = objects.iter().filter_map(|o| o["kind"].as_str()).collect();
        assert_eq!(kinds, ["stage", "queue", "stage", "end"]);
        for object in &objects {
            assert_eq!(object["pipeline"], "camera");
            assert_eq!(object["path"], "v4l2src0 -> autovideosink0");
            assert_eq!(object["time"], 1_790_000_000_000_000_000_u64);
            assert_eq!(object["duration"], 1_000_000_000);
        }
        assert_eq!(objects[1]["stage"], "queue0");
        assert_eq!(objects[1]["fill"], 0.5);
        assert_eq!(objects[2]["transit-max"], 40_000_000);
        assert_eq!(objects[2]["lost"], 3);
        assert_eq!(objects[2]["bitrate"], 2_000_000);
        assert_eq!(objects[2]["share"], 0.75);
        assert_eq!(objects[3]["remainder"], -1_500_000);
        assert_eq!(objects[3]["bottleneck"], "x264enc0");
    }

    #[test]
    fn names_are_escaped_and_nothing_is_no_lines() {
        assert_eq!(lines(&Snapshot::default(), &occasion()), "");
        let mut odd = snapshot();
        odd.paths[0].pipeline = "a \"b\"\nc".to_owned();
        let text = lines(&odd, &occasion());
        assert_eq!(text.lines().count(), 4);
        let first: Json = serde_json::from_str(text.lines().next().unwrap_or("")).expect("JSON");
        assert_eq!(first["pipeline"], "a \"b\"\nc");
    }
}
