//! What other tracers write into GStreamer's debug log.

use std::path::Path;

use crate::samples::Summary;
use crate::scenarios::About;

/// Who wrote the log.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Writer {
    CoreLatency,
    Interlatency,
    Proctime,
}

/// What the log at `file` says about an element or a way; `None` where its writer does not measure such a thing.
pub fn read(file: &Path, writer: Writer, about: &About) -> Option<Summary> {
    let (record, field, value) = match (writer, about) {
        (Writer::CoreLatency, About::Element(name)) => {
            ("element-latency", "element", (*name).to_owned())
        }
        (Writer::CoreLatency, About::Sink(name)) => ("latency", "sink-element", (*name).to_owned()),
        // From the source's pad to this one: the stages are the first elements behind the source.
        (Writer::Interlatency, About::Element(name)) => {
            ("interlatency", "to_pad", format!("{name}_src"))
        }
        (Writer::Interlatency, About::Sink(name)) => {
            ("interlatency", "to_pad", format!("{name}_sink"))
        }
        (Writer::Proctime, About::Element(name)) => ("proctime", "element", (*name).to_owned()),
        (Writer::Proctime, About::Sink(_)) => return None,
    };
    let log = std::fs::read_to_string(file).unwrap();
    let record = format!(" {record}, ");
    let lines = log.lines().filter(|line| line.contains(&record));
    let wanted = lines.filter(|line| self::field(line, field) == Some(&value));
    let times = wanted.filter_map(|line| nanoseconds(self::field(line, "time")?));
    Some(Summary::of(times.collect()))
}

/// The value of `name=(type)value` in `line`.
fn field<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = line.split_once(&format!(" {name}=("))?;
    let (_, value) = rest.split_once(')')?;
    value.split([',', ';']).next()
}

/// A number of nanoseconds, or `h:mm:ss.nnnnnnnnn`.
fn nanoseconds(text: &str) -> Option<u64> {
    if let Ok(nanoseconds) = text.parse() {
        return Some(nanoseconds);
    }
    let mut parts = text.split([':', '.']);
    let mut next = || parts.next()?.parse::<u64>().ok();
    let (hours, minutes, seconds, rest) = (next()?, next()?, next()?, next()?);
    Some(((hours * 60 + minutes) * 60 + seconds) * 1_000_000_000 + rest)
}
