//! An encoder in no row of the table: what its properties say of themselves.

use super::property::{fitting, usable};
use super::table::{KBIT, Knob};

/// Where such encoders have their bit rate, likeliest first.
const LIKELY: [&str; 2] = ["bitrate", "target-bitrate"];

/// The property of `element` that is its bit rate, by its name and description.
pub(super) fn learn(element: &gst::Element) -> Option<Knob> {
    LIKELY.into_iter().find_map(|property| {
        let spec = usable(element, property)?;
        fitting(&spec, 1)?;
        let unit = unit_of(spec.blurb().unwrap_or_default());
        Some(Knob::Number { property, unit })
    })
}

/// The unit of a property in bits per second, by its description.
fn unit_of(blurb: &str) -> u64 {
    let blurb = blurb.to_lowercase();
    let is_any = |words: &[&str]| words.iter().any(|word| blurb.contains(word));
    if is_any(&["kbit", "kbps", "kb/s", "kilobit", "kib"]) {
        KBIT
    } else if is_any(&["mbit", "mbps", "megabit"]) {
        KBIT * KBIT
    } else {
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_is_read_from_the_description() {
        assert_eq!(unit_of("Bitrate in kbit/sec"), KBIT);
        assert_eq!(unit_of("Target bitrate (in Kbps)"), KBIT);
        assert_eq!(unit_of("Target bitrate, in kilobits per second"), KBIT);
        assert_eq!(unit_of("Rate in Mbit/s"), 1_000_000);
        assert_eq!(unit_of("Target bitrate (in bits per second)"), 1);
    }
}
