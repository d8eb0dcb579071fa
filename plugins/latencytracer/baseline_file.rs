//! A baseline as a file: JSON that a person can read.

use std::fs;
use std::path::Path;
use std::time::Duration;

use livetune_core::latency::{Baseline, Block};
use livetune_core::time::nanos;
use serde_json::{Value, json};

/// What the file says first; a later form of it would say 2.
const FORMAT: &str = "livetune-baseline";
const VERSION: u64 = 1;

/// The baseline in the file at `path`.
pub(super) fn read(path: &Path) -> Result<Baseline, gst::ErrorMessage> {
    let text = fs::read_to_string(path).map_err(|error| {
        let path = path.display();
        gst::error_msg!(
            gst::ResourceError::OpenRead,
            ("Cannot read the baseline {path}: {error}")
        )
    })?;
    parse(&text).map_err(|error| {
        let path = path.display();
        gst::error_msg!(
            gst::ResourceError::Read,
            ("{path} is no baseline: {error}. Delete it to record a new one")
        )
    })
}

/// Writes `baseline` to `path`: the whole file or nothing of it.
pub(super) fn write(path: &Path, baseline: &Baseline) -> std::io::Result<()> {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    fs::write(&name, text(baseline))?;
    fs::rename(name, path)
}

fn text(baseline: &Baseline) -> String {
    let blocks = baseline.blocks().iter();
    let blocks: Vec<_> = blocks
        .map(|block| json!([nanos(block.median), nanos(block.p95)]))
        .collect();
    let all = json!({
        FORMAT: VERSION,
        "unit": "ns",
        "block": nanos(baseline.block()),
        "columns": ["median", "p95"],
        "blocks": blocks,
    });
    format!("{all}\n")
}

fn parse(text: &str) -> Result<Baseline, String> {
    let all: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if all[FORMAT].as_u64() != Some(VERSION) {
        return Err(format!("it does not say \"{FORMAT}\":{VERSION}"));
    }
    let block = duration(&all["block"]).ok_or("\"block\" is no number of nanoseconds")?;
    let blocks = all["blocks"].as_array().ok_or("\"blocks\" is no list")?;
    let blocks: Option<Vec<Block>> = blocks.iter().map(one).collect();
    let blocks = blocks.ok_or("a block is not two numbers of nanoseconds")?;
    Baseline::new(block, blocks).map_err(|error| error.to_string())
}

fn one(block: &Value) -> Option<Block> {
    Some(Block {
        median: duration(block.get(0)?)?,
        p95: duration(block.get(1)?)?,
    })
}

fn duration(value: &Value) -> Option<Duration> {
    value.as_u64().map(Duration::from_nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn baseline() -> Baseline {
        let blocks = (0..20).map(|n| Block {
            median: Duration::from_micros(30_000 + n),
            p95: Duration::from_micros(40_000 + n),
        });
        Baseline::new(Duration::from_secs(1), blocks.collect()).expect("a valid baseline")
    }

    #[test]
    fn what_is_written_is_read() {
        assert_eq!(parse(&text(&baseline())), Ok(baseline()));
    }

    #[test]
    fn what_is_no_baseline_is_refused_with_the_reason() {
        let whole = text(&baseline());
        for (broken, reason) in [
            (whole[..whole.len() / 2].to_owned(), "EOF"),
            ("{}".to_owned(), "does not say"),
            (
                whole.replace("\"blocks\":[", "\"blocks\":[[1],"),
                "two numbers",
            ),
            (whole.replace("1000000000", "-1"), "\"block\""),
            (
                r#"{"livetune-baseline":1,"block":1000000000,"blocks":[]}"#.to_owned(),
                "0",
            ),
        ] {
            let error = parse(&broken).expect_err("it is broken");
            assert!(error.contains(reason), "{error} for {broken}");
        }
    }
}
