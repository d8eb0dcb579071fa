//! A report for people: one table for each path.

use std::fmt::Write;
use std::time::Duration;

use livetune_core::latency::Summary;

use super::model::{Path, Snapshot, Stage};
use super::{Occasion, Over};

/// Longer names lose their middle, so that a row of the table fits a line.
const LONGEST_NAME: usize = 28;

/// Nanoseconds that two decimals of a millisecond do not show.
const UNSEEN: u64 = 5_000;

const COLUMNS: usize = 10;
const NOTES: usize = COLUMNS - 1;
/// The two lines above the figures.
const HEAD: [[&str; COLUMNS]; 2] = [
    [
        "", "share", "transit", "transit", "transit", "transit", "age", "age", "frames", "",
    ],
    [
        "stage", "%", "p50 ms", "p95 ms", "p99 ms", "max ms", "p50 ms", "p95 ms", "per s", "",
    ],
];

type Row = [String; COLUMNS];

/// `snapshot` as tables.
pub(super) fn tables(snapshot: &Snapshot, occasion: &Occasion) -> String {
    let mut text = String::new();
    for path in &snapshot.paths {
        // Writing into a string cannot fail.
        let _ = table(&mut text, path, occasion);
    }
    text
}

fn table(text: &mut String, path: &Path, occasion: &Occasion) -> std::fmt::Result {
    let (source, sink) = (shortened(&path.source), shortened(&path.sink));
    let pipeline = shortened(&path.pipeline);
    let span = span(occasion);
    writeln!(text, "{pipeline}: {source} -> {sink}, {span}")?;
    let mut rows: Vec<Row> = HEAD.map(|line| line.map(str::to_owned)).into();
    rows.extend(path.stages.iter().map(|stage| row(&stage.name, stage)));
    let mut end = row("end to end", &path.end);
    end[1].clear();
    rows.push(end);
    let widths: [usize; COLUMNS] = std::array::from_fn(|column| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    });
    for row in &rows {
        text.push_str(line(row, &widths).trim_end());
        text.push('\n');
    }
    match path.remainder {
        nil if nil.unsigned_abs() < UNSEEN => (),
        over @ 0.. => writeln!(
            text,
            "remainder: {} ms of the mean lie in no stage",
            ms(over)
        )?,
        under => writeln!(
            text,
            "remainder: {} ms of the mean, stages overlap",
            ms(under)
        )?,
    }
    if let Some(bottleneck) = &path.bottleneck {
        let stage = shortened(&bottleneck.stage);
        writeln!(text, "bottleneck: {stage}, {}", bottleneck.reason)?;
    }
    text.push('\n');
    Ok(())
}

fn span(occasion: &Occasion) -> String {
    let seconds = occasion.length.as_secs_f64();
    match occasion.over {
        Over::Interval => format!("last {seconds:.1} s"),
        Over::Total => format!("all {seconds:.1} s"),
    }
}

/// The first column and the notes begin at the left, numbers end at the right.
fn line(row: &Row, widths: &[usize; COLUMNS]) -> String {
    let cells = row.iter().zip(widths).enumerate();
    let cells = cells.map(|(column, (cell, &width))| match column {
        0 | NOTES => format!("{cell:<width$}"),
        _ => format!("{cell:>width$}"),
    });
    cells.collect::<Vec<_>>().join("  ")
}

fn row(name: &str, stage: &Stage) -> Row {
    let (transit, age) = (&stage.figures.transit, &stage.figures.age);
    let share = match transit.count {
        0 => "-".to_owned(),
        _ => format!("{:.1}", stage.share.as_f64() * 100.0),
    };
    [
        shortened(name),
        share,
        time(transit, transit.p50),
        time(transit, transit.p95),
        time(transit, transit.p99),
        time(transit, transit.max),
        time(age, age.p50),
        time(age, age.p95),
        format!("{:.1}", stage.figures.fps),
        notes(stage),
    ]
}

fn time(summary: &Summary, value: Duration) -> String {
    match summary.count {
        0 => "-".to_owned(),
        _ => format!("{:.2}", value.as_secs_f64() * 1e3),
    }
}

fn ms(nanos: i64) -> String {
    format!("{:.2}", nanos as f64 / 1e6)
}

/// What went wrong with frames, and how full a queue is.
fn notes(stage: &Stage) -> String {
    let counts = &stage.figures.counts;
    let all = [
        ("lost", counts.lost),
        ("dup", counts.duplicated),
        ("late", counts.late),
        ("inferred", counts.inferred),
        ("negative", counts.negative),
        ("unstamped", counts.unstamped),
    ];
    let fill = (stage.fill.as_f64() * 100.0).round();
    let fill = stage.queue.then(|| format!("{fill} % full"));
    let some = all.into_iter().filter(|(_, count)| *count > 0);
    let some = some.map(|(name, count)| format!("{name} {count}"));
    fill.into_iter().chain(some).collect::<Vec<_>>().join(", ")
}

/// `name` on one line, without its middle where it is long.
fn shortened(name: &str) -> String {
    let clean = name.chars().map(|c| if c.is_control() { ' ' } else { c });
    let chars: Vec<char> = clean.collect();
    if chars.len() <= LONGEST_NAME {
        return chars.into_iter().collect();
    }
    let kept = LONGEST_NAME - 1;
    let (head, tail) = (kept / 2, chars.len() - kept.div_ceil(2));
    let (head, tail) = (&chars[..head], &chars[tail..]);
    head.iter().chain(&['…']).chain(tail).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample::{occasion, snapshot, stage};
    use super::*;

    #[test]
    fn a_path_is_a_table_in_stream_order() {
        let expected = "\
camera: v4l2src0 -> autovideosink0, last 1.0 s
            share  transit  transit  transit  transit     age     age  frames
stage           %   p50 ms   p95 ms   p99 ms   max ms  p50 ms  p95 ms   per s
v4l2src0        -        -        -        -        -    2.01    4.00    25.0
queue0       25.0     4.01     8.00     8.00     8.00    6.00   11.99    25.0  50 % full
x264enc0     75.0    20.05    40.00    40.00    40.00   26.08   52.00    25.0  lost 3, late 1
end to end           23.99    47.97    47.97    48.00   26.08   52.00    25.0
remainder: -1.50 ms of the mean, stages overlap
bottleneck: x264enc0, 75 % of the time

";
        assert_eq!(tables(&snapshot(), &occasion()), expected);
    }

    #[test]
    fn names_of_any_length_keep_the_columns_in_line() {
        let mut odd = snapshot();
        let long = "bin0/a-name-that-goes-on-and-on-and-ends-with-number-17";
        odd.paths[0].stages.push(stage(long, 3, 55));
        odd.paths[0].stages.push(stage("größe\n😀", 3, 55));
        let text = tables(&odd, &occasion());
        assert!(text.contains("bin0/a-name-t…with-number-17  "), "{text}");
        let rows = text.lines().filter(|line| line.contains(" 25.0"));
        let columns: Vec<usize> = rows
            .filter_map(|row| Some(row[..row.rfind("25.0")?].chars().count()))
            .collect();
        assert_eq!(columns.len(), 6, "{text}");
        assert!(columns.iter().all(|column| *column == columns[0]), "{text}");
    }

    #[test]
    fn what_is_nil_is_not_mentioned() {
        let mut plain = snapshot();
        let path = &mut plain.paths[0];
        (path.remainder, path.bottleneck) = (0, None);
        path.stages.truncate(1);
        let text = tables(&plain, &occasion());
        for word in ["remainder", "bottleneck", "lost", "late", "full"] {
            assert!(!text.contains(word), "{word} in {text}");
        }
        assert_eq!(tables(&Snapshot::default(), &occasion()), "");
    }

    #[test]
    fn a_remainder_says_which_way_it_goes() {
        let mut path = snapshot();
        path.paths[0].remainder = 420_000;
        let text = tables(&path, &occasion());
        assert!(text.contains("remainder: 0.42 ms of the mean lie in no stage"));
    }
}
