//! What the element says of itself.

use std::time::Duration;

use livetune_core::recycle::{Counts, Ledger};
use livetune_core::time::MediaTime;

use super::memory;
use super::state::Offered;
use crate::runtime::figures::{Figure, Value};

pub(super) const STATS: &str = "application/x-livetune-bufferrecycler-stats";
pub(super) const MESSAGE: &str = "livetune-buffers";

/// What the books say now.
pub(super) struct Holdings {
    counts: Counts,
    outstanding: u64,
    peak_outstanding: u64,
    held: u64,
    oldest: Duration,
    pooled_bytes: u64,
}

impl Holdings {
    pub(super) fn of(ledger: &Ledger, now: MediaTime) -> Self {
        Self {
            counts: ledger.counts(),
            outstanding: ledger.outstanding(),
            peak_outstanding: ledger.peak_outstanding(),
            held: ledger.held(),
            oldest: ledger.oldest(now),
            pooled_bytes: ledger.pooled_bytes(),
        }
    }
}

/// All figures, in the order in which they are shown.
pub(super) fn figures(holdings: &Holdings, faults: u64, offered: Offered) -> Vec<Figure> {
    let mut figures = of_pools(holdings);
    figures.extend(of_limits(holdings));
    figures.extend(of_stream(&holdings.counts));
    figures.push(count(
        "page-faults",
        faults,
        "Page faults of the whole process in this run",
    ));
    figures.extend(of_process(&memory::figures()));
    figures.extend(of_offer(offered));
    figures
}

fn count(name: &'static str, n: u64, help: &'static str) -> Figure {
    Figure::new(name, Value::Count(n), help)
}

fn level(name: &'static str, n: u64, help: &'static str) -> Figure {
    Figure::new(name, Value::Level(n), help)
}

fn of_pools(holdings: &Holdings) -> Vec<Figure> {
    let counts = &holdings.counts;
    vec![
        count(
            "allocations",
            counts.allocations,
            "Buffers allocated by our pools",
        ),
        count(
            "hits",
            counts.hits(),
            "Buffers lent by our pools without an allocation",
        ),
        count(
            "misses",
            counts.misses,
            "Buffers allocated by our pools because none was free",
        ),
        Figure::new(
            "hit-ratio",
            Value::Ratio(counts.hit_ratio()),
            "Part of the lent buffers that needed no allocation",
        ),
        level(
            "outstanding",
            holdings.outstanding,
            "Buffers of our pools in use",
        ),
        level(
            "peak-outstanding",
            holdings.peak_outstanding,
            "Most buffers of our pools in use at once",
        ),
        level(
            "held",
            holdings.held,
            "Buffers of upstream's own pool that downstream holds, where they are scarce",
        ),
        Figure::new(
            "oldest-age",
            Value::Duration(holdings.oldest),
            "For how long the oldest of these buffers is in use",
        ),
        Figure::new(
            "pooled-bytes",
            Value::Bytes(holdings.pooled_bytes),
            "Memory held by our pools",
        ),
        count(
            "trimmed-bytes",
            counts.trimmed_bytes,
            "Memory given back by our pools because nobody needed it",
        ),
    ]
}

fn of_limits(holdings: &Holdings) -> Vec<Figure> {
    let counts = &holdings.counts;
    vec![
        count(
            "copies",
            counts.copies,
            "Frames copied so that upstream has its buffer back",
        ),
        count("copied-bytes", counts.copied_bytes, "Bytes of these frames"),
        count(
            "starvations",
            counts.starvations(),
            "Times that upstream ran out of buffers or nearly so: ours or its own",
        ),
        count(
            "waits",
            counts.waits,
            "Times that upstream waited because our pool was at its maximum",
        ),
        count("timeouts", counts.timeouts, "Times that it waited in vain"),
        count(
            "drops",
            counts.drops,
            "Frames dropped because our pool was at its maximum",
        ),
    ]
}

fn of_stream(counts: &Counts) -> Vec<Figure> {
    vec![
        count(
            "buffers",
            counts.buffers,
            "Buffers that came to the element",
        ),
        count("bytes", counts.bytes, "Bytes that came to the element"),
        count(
            "recycled",
            counts.recycled,
            "Buffers that came in memory of our pools",
        ),
        count(
            "upstream-pooled",
            counts.upstream_pooled,
            "Buffers that came from a pool of upstream",
        ),
        count("unpooled", counts.fresh, "Buffers that came from no pool"),
        count(
            "device",
            counts.device,
            "Buffers that came in memory of a device, and passed untouched",
        ),
    ]
}

fn of_process(process: &memory::Figures) -> Vec<Figure> {
    let blocks = &process.blocks;
    vec![
        count(
            "process-hits",
            blocks.hits,
            "Blocks that the recycling allocator lent again, in the whole process",
        ),
        count(
            "process-misses",
            blocks.misses,
            "Blocks that it took from the system, in the whole process",
        ),
        Figure::new(
            "process-outstanding-bytes",
            Value::Bytes(blocks.outstanding_bytes),
            "Memory of its blocks in use, in the whole process",
        ),
        Figure::new(
            "process-pooled-bytes",
            Value::Bytes(blocks.pooled_bytes),
            "Memory of its blocks that lie free, in the whole process",
        ),
        count(
            "process-trimmed-bytes",
            blocks.trimmed_bytes,
            "Memory that it gave back to the system, in the whole process",
        ),
        count(
            "written-after-return",
            process.written_after_return,
            "Blocks that somebody wrote into after giving them back, found by poison, in the whole process",
        ),
    ]
}

fn of_offer(offered: Offered) -> [Figure; 2] {
    let text = |name, text: &str, help| Figure::new(name, Value::Text(text.to_owned()), help);
    [
        text(
            "offered",
            offered.whose,
            "Whose pool upstream was offered: own, downstream or none",
        ),
        text(
            "offered-reason",
            offered.reason.text(),
            "Why upstream was offered that pool",
        ),
    ]
}
