//! What the element costs a buffer where there is nothing to gain, beside `identity`.

use crate::child::{self, Malloc, Mode, Pipeline};
use crate::usage::{Usage, median};

const ROUNDS: usize = 9;
const BUFFERS: u32 = 200_000;
const ELEMENTS: [u32; 2] = [1, 11];
/// ns more than `identity`, which does nothing.
const LIMIT: f64 = 100.0;

const PARTS: [&str; 2] = ["identity silent=true", "bufferrecycler"];

pub fn table() {
    println!(
        "\nA buffer of 64 bytes through one element more, processor time in ns, medians of {ROUNDS} rounds.\n"
    );
    println!("| element | ns | above identity | must |");
    println!("| --- | ---: | ---: | --- |");
    let mut costs = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        for (part, costs) in PARTS.into_iter().zip(&mut costs) {
            let [few, many] = ELEMENTS.map(|count| {
                let said = child::run::<f64>(
                    Mode::Stock,
                    Malloc::Stock,
                    "passthrough",
                    &[part, &count.to_string()],
                );
                said[0]
            });
            costs.push(1e9 * (many - few) / f64::from(BUFFERS * (ELEMENTS[1] - ELEMENTS[0])));
        }
    }
    let [identity, ours] = costs.map(median);
    println!("| identity | {identity:.0} | | |");
    let met = if ours - identity <= LIMIT {
        "✓"
    } else {
        "✗"
    };
    println!(
        "| bufferrecycler | {ours:.0} | {:.0} | {met} <= {LIMIT:.0} ns |",
        ours - identity
    );
}

/// The child process: prints the seconds that it took.
pub fn child(part: &str, elements: u32) {
    child::init();
    let chain = format!("! {part} ").repeat(elements as usize);
    let pipeline = Pipeline::parse(&format!(
        "fakesrc num-buffers={BUFFERS} sizetype=fixed sizemax=64 {chain} ! fakesink"
    ));
    let before = Usage::of_this_process();
    pipeline.run();
    println!("{}", (Usage::of_this_process() - before).seconds);
}
