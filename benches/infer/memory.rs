//! Resident memory of a process with one camera, and with sixteen on the same network.

use std::time::Duration;

use crate::bare;
use crate::cameras::{self, Cameras};
use crate::child;
use crate::pictures;

/// In place of the network.
const NOTHING: &str = "nothing";

pub fn table() {
    println!(
        "\nResident memory of a process, MB; what the network takes is what is more than with `identity` in its place.\n"
    );
    println!("| engine | 1 camera | 16 cameras | for the network | | ratio | must |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: | --- |");
    let [one, many] = resident(NOTHING);
    println!("| none (`identity`) | {one:.0} | {many:.0} | | | | |");
    for (name, engine) in bare::engines() {
        drop(engine);
        let with = resident(name);
        let (first, all) = (with[0] - one, with[1] - many);
        let ratio = all / first;
        let met = if ratio <= 1.3 { "✓" } else { "✗" };
        println!(
            "| {name} | {:.0} | {:.0} | {first:.0} | {all:.0} | {ratio:.2} | {met} <= 1.3 |",
            with[0], with[1]
        );
    }
}

/// With one camera, and with sixteen, MB.
fn resident(backend: &str) -> [f64; 2] {
    ["1", "16"].map(|cameras| {
        let said = child::run(&["child-memory", backend, cameras]);
        said.trim().parse().unwrap()
    })
}

/// Prints what this process has resident after a while.
pub fn child(backend: &str, count: usize) {
    gst::init().unwrap();
    gstlivetune::plugin_register_static().unwrap();
    let element = match backend {
        NOTHING => "identity".to_owned(),
        backend => cameras::infer(backend),
    };
    let mut cameras = Cameras::start(count, &element, pictures::grey(4));
    cameras.film(0, Duration::from_secs(5));
    println!("{}", resident_kb() / 1000.0);
}

fn resident_kb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.unwrap().split_whitespace().nth(1).unwrap();
    number.parse().unwrap()
}
