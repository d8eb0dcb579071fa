//! Resident memory of a process with one camera, and with sixteen on the same network.

use std::time::Duration;

use crate::bare;
use crate::cameras::Cameras;
use crate::child;

pub fn table() {
    println!("\nResident memory, MB; the frames that cameras send are the same thirty in both.\n");
    println!("| engine | 1 camera | 16 cameras | ratio | must |");
    println!("| --- | ---: | ---: | ---: | --- |");
    for (name, engine) in bare::engines() {
        drop(engine);
        let [one, many] = ["1", "16"].map(|cameras| {
            let said = child::run(&["child-memory", name, cameras]);
            said.trim().parse::<f64>().unwrap()
        });
        let (ratio, met) = (many / one, many <= 1.3 * one);
        let met = if met { "✓" } else { "✗" };
        println!("| {name} | {one:.0} | {many:.0} | {ratio:.2} | {met} <= 1.3 |");
    }
}

/// Prints what this process has resident after a while.
pub fn child(backend: &str, count: usize) {
    gst::init().unwrap();
    gstlivetune::plugin_register_static().unwrap();
    let mut cameras = Cameras::start(count, backend);
    cameras.film(0, Duration::from_secs(5));
    println!("{}", resident_kb() / 1000.0);
}

fn resident_kb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.unwrap().split_whitespace().nth(1).unwrap();
    number.parse().unwrap()
}
