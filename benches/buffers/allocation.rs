//! What the default allocator itself costs: memory that nobody writes to, taken and given back.

use gst::prelude::*;
use gstlivetune::memory::process;

use crate::child::{self, Malloc, Mode};
use crate::usage::{Usage, median};

const ROUNDS: usize = 5;
const TIMES: u32 = 200_000;
const SIZES: [usize; 3] = [64, 1500, 3_110_400];

pub fn table() {
    println!(
        "\nMemory taken and given back by one thread, processor time in ns, medians of {ROUNDS} rounds.\n"
    );
    println!("| bytes | stock | recycled |");
    println!("| ---: | ---: | ---: |");
    for size in SIZES {
        let mut costs = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            for (mode, costs) in Mode::BOTH.into_iter().zip(&mut costs) {
                let said =
                    child::run::<f64>(mode, Malloc::Stock, "allocation", &[&size.to_string()]);
                costs.push(1e9 * said[0] / f64::from(TIMES));
            }
        }
        let [stock, recycled] = costs.map(median);
        println!("| {size} | {stock:.0} | {recycled:.0} |");
    }
}

/// The child process: prints the seconds that it took.
pub fn child(mode: Mode, size: usize) {
    child::init();
    let _lease = (mode == Mode::Recycled).then(process::install);
    let allocator = gst::Allocator::find(None).unwrap();
    let before = Usage::of_this_process();
    for _ in 0..TIMES {
        drop(std::hint::black_box(allocator.alloc(size, None).unwrap()));
    }
    println!("{}", (Usage::of_this_process() - before).seconds);
}
