//! What a frame costs on the top rung, where nothing is done with it.

use gst::prelude::*;

use crate::clock;

const FRAMES: u64 = 200_000;
const ROUNDS: usize = 7;

pub fn bench() {
    let mut rounds: Vec<[f64; 3]> = Vec::new();
    for _ in 0..ROUNDS {
        rounds.push(["", "identity", "qualityswitch"].map(cost));
    }
    let least = |at: usize| {
        rounds
            .iter()
            .map(|round| round[at])
            .fold(f64::MAX, f64::min)
    };
    let nothing = least(0);
    println!("\n| element | ns per frame above a push, least of {ROUNDS} rounds |");
    println!("| --- | --- |");
    println!("| identity | {:.0} |", least(1) - nothing);
    println!("| qualityswitch | {:.0} |\n", least(2) - nothing);
}

/// Nanoseconds for a frame from pad to pad, through an element of the kind `factory`.
fn cost(factory: &str) -> f64 {
    let source = gst::Pad::builder(gst::PadDirection::Src)
        .name("source")
        .build();
    let sink = gst::Pad::builder(gst::PadDirection::Sink)
        .name("sink")
        .chain_function(|_, _, _| Ok(gst::FlowSuccess::Ok))
        .build();
    let element =
        (!factory.is_empty()).then(|| gst::ElementFactory::make(factory).build().unwrap());
    match &element {
        Some(element) => {
            source.link(&element.static_pad("sink").unwrap()).unwrap();
            element.static_pad("src").unwrap().link(&sink).unwrap();
            element.set_state(gst::State::Playing).unwrap();
        }
        None => {
            source.link(&sink).unwrap();
        }
    }
    source.set_active(true).unwrap();
    sink.set_active(true).unwrap();
    source.push_event(gst::event::StreamStart::new("bench"));
    let caps = "video/x-raw,format=GRAY8,width=64,height=64,framerate=30/1";
    source.push_event(gst::event::Caps::new(&caps.parse::<gst::Caps>().unwrap()));
    let segment = gst::FormattedSegment::<gst::ClockTime>::new();
    source.push_event(gst::event::Segment::new(&segment));
    let frame = |number: u64| {
        let mut frame = gst::Buffer::with_size(64 * 64).unwrap();
        frame
            .make_mut()
            .set_pts(gst::ClockTime::from_mseconds(number * 33));
        frame
    };
    for number in 0..100 {
        source.push(frame(number)).unwrap();
    }
    let one = frame(100);
    let start = clock::now();
    for _ in 0..FRAMES {
        source.push(one.clone()).unwrap();
    }
    let took = clock::now() - start;
    if let Some(element) = element {
        element.set_state(gst::State::Null).unwrap();
    }
    took as f64 / FRAMES as f64
}
