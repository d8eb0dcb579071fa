//! HdrHistogram interval logs, as the tools of <https://hdrhistogram.org> read them: the transits and ages of each stage,
//! one histogram (V2, compressed) for each interval, in nanoseconds.
//!
//! Intervals of one tag add up to the whole run.

use std::collections::HashSet;
use std::fmt::Display;
use std::time::{Duration, UNIX_EPOCH};

use hdrhistogram::Histogram as Hdr;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};
use livetune_core::latency::{Histogram, LONGEST};
use livetune_core::time::{MediaTime, nanos};

use super::Occasion;
use super::model::Snapshot;

/// Three significant digits: a tenth of what the values were rounded to before.
const DIGITS: u8 = 3;

/// Writes one log.
pub(super) struct Log {
    /// Times in the log count from here.
    began: MediaTime,
    values: Hdr<u64>,
    serializer: V2DeflateSerializer,
}

impl Log {
    pub(super) fn new() -> Self {
        let values = Hdr::new_with_bounds(1, nanos(LONGEST), DIGITS);
        Self {
            began: MediaTime::ZERO,
            values: values.expect("the bounds are constants that lie far enough apart"),
            serializer: V2DeflateSerializer::new(),
        }
    }

    /// The lines for `snapshot`, behind the head of the log where they are the `first`.
    pub(super) fn lines(
        &mut self,
        snapshot: &Snapshot,
        occasion: &Occasion,
        first: bool,
    ) -> Result<Vec<u8>, String> {
        let mut text = Vec::new();
        let start = occasion.time.before(occasion.length);
        let mut builder = IntervalLogWriterBuilder::new();
        if first {
            head(&mut builder, start);
            self.began = start;
        }
        let mut log = builder
            .begin_log_with(&mut text, &mut self.serializer)
            .map_err(said)?;
        for (tag, histogram) in tagged(snapshot) {
            fill(&mut self.values, histogram);
            log.write_histogram(
                &self.values,
                start.since(self.began),
                occasion.length,
                Tag::new(&tag),
            )
            .map_err(said)?;
        }
        Ok(text)
    }
}

fn head(builder: &mut IntervalLogWriterBuilder, start: MediaTime) {
    let start = UNIX_EPOCH + Duration::from_nanos(start.as_nanos());
    builder
        .add_comment("[Histogram log format version 1.3]")
        .add_comment("[Unit: nanoseconds]")
        .with_start_time(start)
        .with_base_time(start);
}

/// The histograms that hold something, each once: paths of one pipeline share stages.
fn tagged(snapshot: &Snapshot) -> Vec<(String, &Histogram)> {
    let mut seen = HashSet::new();
    let mut tagged = Vec::new();
    for path in &snapshot.paths {
        let stages = path.stages.iter().map(|stage| (stage.name.clone(), stage));
        let end = (format!("{}-to-{}", path.source, path.sink), &path.end);
        for (name, stage) in stages.chain([end]) {
            let Some(histograms) = &stage.histograms else {
                continue;
            };
            for (kind, histogram) in [("transit", &histograms.transit), ("age", &histograms.age)] {
                let tag = legal(&format!("{}.{name}.{kind}", path.pipeline));
                if histogram.count() > 0 && seen.insert(tag.clone()) {
                    tagged.push((tag, histogram));
                }
            }
        }
    }
    tagged
}

/// A tag ends at a comma, and a line at its end.
fn legal(tag: &str) -> String {
    let odd = |c: char| c == ',' || c.is_whitespace() || c.is_control();
    tag.chars().map(|c| if odd(c) { '-' } else { c }).collect()
}

/// Makes `values` hold what `histogram` does. The longest value is known exactly.
fn fill(values: &mut Hdr<u64>, histogram: &Histogram) {
    values.reset();
    let mut rest = histogram.iter().peekable();
    while let Some((value, count)) = rest.next() {
        let is_last = rest.peek().is_none();
        values.saturating_record_n(nanos(value), count - u64::from(is_last));
    }
    values.saturating_record(nanos(histogram.summary().max));
}

fn said(error: impl Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::super::sample::{occasion, snapshot};
    use super::*;
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};

    /// Bytes of base64, which the crate leaves to its users.
    fn base64(text: &str) -> Vec<u8> {
        let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let digits = text
            .bytes()
            .filter_map(|c| digits.iter().position(|d| *d == c));
        let bits: Vec<usize> = digits.collect();
        let groups = bits.chunks(4).flat_map(|four| {
            let sum = four
                .iter()
                .enumerate()
                .map(|(n, d)| d << (18 - 6 * n))
                .sum::<usize>();
            let bytes = [sum >> 16, sum >> 8, sum].map(|byte| byte as u8);
            bytes.into_iter().take(four.len() - 1)
        });
        groups.collect()
    }

    fn intervals(text: &[u8]) -> Vec<(String, Duration, Duration, Hdr<u64>)> {
        let entries = IntervalLogIterator::new(text).map(|entry| entry.expect("a line of the log"));
        let intervals = entries.filter_map(|entry| match entry {
            LogEntry::Interval(interval) => Some(interval),
            _ => None,
        });
        let read = intervals.map(|interval| {
            let bytes = base64(interval.encoded_histogram());
            let values = Deserializer::new().deserialize(&mut bytes.as_slice());
            let tag = interval.tag().map(|tag| tag.as_str().to_owned());
            (
                tag.unwrap_or_default(),
                interval.start_timestamp(),
                interval.duration(),
                values.expect("a histogram"),
            )
        });
        read.collect()
    }

    #[test]
    fn what_was_written_is_read_back_with_the_crate() {
        let mut log = Log::new();
        let mut text = log
            .lines(&snapshot(), &occasion(), true)
            .expect("it is written");
        let mut later = occasion();
        later.time = later.time.after(Duration::from_secs(1));
        text.extend(
            log.lines(&snapshot(), &later, false)
                .expect("it is written"),
        );
        let all = intervals(&text);
        let tags: Vec<&str> = all.iter().map(|(tag, ..)| tag.as_str()).collect();
        assert_eq!(
            tags[..7],
            [
                "camera.v4l2src0.age",
                "camera.queue0.transit",
                "camera.queue0.age",
                "camera.x264enc0.transit",
                "camera.x264enc0.age",
                "camera.v4l2src0-to-autovideosink0.transit",
                "camera.v4l2src0-to-autovideosink0.age",
            ]
        );
        assert_eq!(tags[7..], tags[..7]);
        let second = Duration::from_secs(1);
        let (_, start, length, values) = &all[3];
        assert_eq!((*start, *length), (Duration::ZERO, second));
        assert_eq!((all[10].1, all[10].2), (second, second));
        assert_eq!(values.len(), 10);
        for (value, millis) in [(values.value_at_quantile(0.5), 20.0), (values.max(), 40.0)] {
            let off = value as f64 / 1e6 / millis - 1.0;
            assert!(off.abs() < 0.01, "{value} is not {millis} ms");
        }
        let head = String::from_utf8_lossy(&text);
        assert_eq!(
            head.matches("#[StartTime: 1789999999.000").count(),
            1,
            "{head}"
        );
        assert_eq!(
            head.matches("#[BaseTime: 1789999999.000").count(),
            1,
            "{head}"
        );
    }

    #[test]
    fn tags_hold_nothing_that_ends_a_tag() {
        let mut odd = snapshot();
        odd.paths[0].pipeline = "a, b\nc".to_owned();
        let text = Log::new()
            .lines(&odd, &occasion(), true)
            .expect("it is written");
        assert_eq!(intervals(&text)[0].0, "a--b-c.v4l2src0.age");
    }

    #[test]
    fn a_stage_of_two_paths_is_written_once() {
        let mut tee = snapshot();
        tee.paths.push(tee.paths[0].clone());
        tee.paths[1].sink = "filesink0".to_owned();
        let text = Log::new()
            .lines(&tee, &occasion(), true)
            .expect("it is written");
        assert_eq!(intervals(&text).len(), 9);
    }
}
