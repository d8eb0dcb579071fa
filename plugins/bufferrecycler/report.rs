//! What the element says of itself.

use livetune_core::recycle::{Ledger, Reason};

use crate::runtime::figures::{Figure, Value};

/// All figures, in the order in which they are shown.
pub(super) fn figures(ledger: &Ledger, offered: &str, reason: Reason) -> Vec<Figure> {
    let mut figures = of_pools(ledger);
    figures.extend(of_stream(ledger));
    figures.extend(of_offer(offered, reason));
    figures
}

fn of_pools(ledger: &Ledger) -> Vec<Figure> {
    let count = |name, n, help| Figure::new(name, Value::Count(n), help);
    let level = |name, n, help| Figure::new(name, Value::Level(n), help);
    let hit_ratio = Value::Ratio(ledger.hit_ratio());
    let pooled_bytes = Value::Bytes(ledger.pooled_bytes());
    vec![
        count("made", ledger.made(), "Buffers allocated by our pools"),
        count(
            "reused",
            ledger.reused(),
            "Buffers lent by our pools without an allocation",
        ),
        Figure::new(
            "hit-ratio",
            hit_ratio,
            "Part of the lent buffers that needed no allocation",
        ),
        level(
            "outstanding",
            ledger.outstanding(),
            "Buffers of our pools in use",
        ),
        level(
            "peak-outstanding",
            ledger.peak_outstanding(),
            "Most buffers of our pools in use at once",
        ),
        Figure::new("pooled-bytes", pooled_bytes, "Memory held by our pools"),
        count(
            "waits",
            ledger.waits(),
            "Times that upstream waited because a pool was at its maximum",
        ),
    ]
}

fn of_stream(ledger: &Ledger) -> Vec<Figure> {
    let count = |name, n, help| Figure::new(name, Value::Count(n), help);
    vec![
        count(
            "buffers",
            ledger.buffers(),
            "Buffers that passed the element",
        ),
        count("bytes", ledger.bytes(), "Bytes that passed the element"),
        count(
            "recycled",
            ledger.recycled(),
            "Buffers that passed in memory of our pools",
        ),
    ]
}

fn of_offer(offered: &str, reason: Reason) -> [Figure; 2] {
    let text = |name, text: &str, help| Figure::new(name, Value::Text(text.to_owned()), help);
    [
        text(
            "offered",
            offered,
            "Whose pool upstream was offered: own, downstream or none",
        ),
        text(
            "offered-reason",
            reason.text(),
            "Why upstream was offered that pool",
        ),
    ]
}
