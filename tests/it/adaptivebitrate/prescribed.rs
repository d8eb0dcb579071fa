//! What the user prescribes: steps, distances, thresholds, groups. The network is played by events such as a session sends.

use std::cell::Cell;
use std::sync::mpsc;

use gst::glib;
use gst::glib::translate::{ToGlibPtr, from_glib_none};
use gst::prelude::*;

use super::kbps;
use crate::support::pipeline::{LIMIT, Pipeline, stats};
use crate::support::wait::eventually;

const ENCODER: &str = "videotestsrc is-live=true pattern=snow ! video/x-raw,width=64,height=48,framerate=30/1 ! \
     x264enc name=enc bitrate=2000 tune=zerolatency speed-preset=ultrafast key-int-max=600";

/// A receiver that gets each packet after 25 ms, or not at all.
struct Receiver {
    behind: gst::Pad,
    sequence: Cell<u32>,
}

impl Receiver {
    /// Tells `abr`, as a session behind it would.
    fn of(abr: &gst::Element) -> Self {
        Self {
            behind: abr.static_pad("src").unwrap(),
            sequence: Cell::new(0),
        }
    }

    /// Feedback on ten packets, of which so many are `lost`, and on one of other payload with `other` bytes.
    fn report(&self, lost: u32, other: u32) {
        let now = clock_time().nseconds();
        let remote = now - 25_000_000;
        let one = |n: u32| {
            let (payload_type, size) = if n == 10 { (111_u8, other) } else { (96, 100) };
            self.sequence.set(self.sequence.get() + 1);
            let lost = n < lost;
            let packet = gst::Structure::builder("RTPTWCCPacket")
                .field("seqnum", self.sequence.get() & 0xffff)
                .field("local-ts", now - 50_000_000)
                .field("remote-ts", if lost { u64::MAX } else { remote })
                .field("payload-type", payload_type)
                .field("size", size)
                .field("lost", lost);
            packet.build().to_send_value()
        };
        let packets = glib::ValueArray::new((0..11).map(one).collect::<Vec<_>>());
        // SAFETY: nobody else holds the array.
        let packets: glib::SendValue =
            unsafe { from_glib_none(packets.to_value().to_glib_none().0) };
        let structure = gst::Structure::builder("RTPTWCCPackets")
            .field("packets", packets)
            .build();
        self.behind
            .send_event(gst::event::CustomUpstream::new(structure));
    }
}

fn clock_time() -> gst::ClockTime {
    gst::SystemClock::obtain().time()
}

fn target(abr: &gst::Element) -> u32 {
    abr.property("target-bitrate")
}

fn start(line: &str) -> (Pipeline, gst::Element, Receiver) {
    let pipeline = Pipeline::parse(line);
    let abr = pipeline.element("abr");
    let receiver = Receiver::of(&abr);
    pipeline.play();
    eventually("the start", LIMIT, || target(&abr) > 0);
    (pipeline, abr, receiver)
}

#[test]
fn fixed_steps_go_up_while_enough_arrives_and_down_while_not() {
    let (pipeline, abr, receiver) = start(&format!(
        "{ENCODER} ! adaptivebitrate name=abr mode=fixed-step step-size=500000 adjustment-interval=100 \
         quality-threshold=0.8 min-bitrate=1000000 max-bitrate=3500000 ! fakesink"
    ));
    let (tell, told) = mpsc::channel();
    abr.connect("bitrate-changed", false, move |args| {
        let reason: String = args[2].get().unwrap();
        tell.send((args[1].get::<u32>().unwrap(), reason)).unwrap();
        None
    });
    eventually("the most", LIMIT, || {
        receiver.report(1, 0);
        target(&abr) == 3_500_000
    });
    assert_eq!(kbps(&pipeline.element("enc")), 3_500);
    eventually("the least", LIMIT, || {
        receiver.report(4, 0);
        target(&abr) == 1_000_000
    });
    let mut all: Vec<(u32, String)> = Vec::new();
    eventually("that all is told", LIMIT, || {
        all.extend(told.try_iter());
        all.last().is_some_and(|(rate, _)| *rate == 1_000_000)
    });
    let told = all;
    let rates: Vec<u32> = told.iter().map(|(rate, _)| rate / 1_000).collect();
    assert_eq!(
        rates,
        [2_500, 3_000, 3_500, 3_000, 2_500, 2_000, 1_500, 1_000]
    );
    assert_eq!(
        (told[0].1.as_str(), told[7].1.as_str()),
        ("increase", "loss")
    );
}

#[test]
fn the_threshold_and_the_step_size_hold_in_mode_auto_too() {
    let (_pipeline, abr, receiver) = start(&format!(
        "{ENCODER} ! adaptivebitrate name=abr quality-threshold=0.97 step-size=300000 min-bitrate=700000 ! fakesink"
    ));
    let (tell, told) = mpsc::channel();
    abr.connect("bitrate-changed", false, move |args| {
        tell.send(args[1].get::<u32>().unwrap()).unwrap();
        None
    });
    eventually("less, for 9 % do not arrive", LIMIT, || {
        receiver.report(1, 0);
        target(&abr) <= 1_500_000
    });
    let rates: Vec<u32> = told
        .recv_timeout(LIMIT)
        .into_iter()
        .chain(told.try_iter())
        .collect();
    assert!(
        !rates.is_empty() && rates.iter().all(|rate| rate % 300_000 == 0),
        "{rates:?}"
    );
}

#[test]
fn where_it_is_not_enabled_the_encoder_stays_as_it_is() {
    let (pipeline, abr, receiver) = start(&format!(
        "{ENCODER} ! adaptivebitrate name=abr mode=fixed-step adjustment-interval=100 ! fakesink"
    ));
    let encoder = pipeline.element("enc");
    eventually("that it is driven", LIMIT, || {
        receiver.report(0, 0);
        kbps(&encoder) > 2_000
    });
    abr.set_property("enabled", false);
    let stays = kbps(&encoder);
    let estimate = || abr.property::<u32>("estimated-bitrate");
    let before = estimate();
    eventually("that the network is watched all the same", LIMIT, || {
        receiver.report(0, 0);
        estimate() > before + 900_000
    });
    assert_eq!(kbps(&encoder), stays);
    abr.set_property("enabled", true);
    eventually("one step from where it stands", LIMIT, || {
        receiver.report(0, 0);
        kbps(&encoder) == stays + 500
    });
}

#[test]
fn after_heavy_loss_the_encoder_is_asked_for_a_key_frame() {
    let (pipeline, abr, receiver) =
        start(&format!("{ENCODER} ! adaptivebitrate name=abr ! fakesink"));
    let (tell, told) = mpsc::channel();
    let pad = pipeline.element("enc").static_pad("src").unwrap();
    pad.add_probe(gst::PadProbeType::EVENT_UPSTREAM, move |_, info| {
        if let Some(gst::PadProbeData::Event(event)) = &info.data
            && event
                .structure()
                .is_some_and(|s| s.name() == "GstForceKeyUnit")
        {
            tell.send(()).unwrap();
        }
        gst::PadProbeReturn::Ok
    });
    let loss = || stats(&abr).get::<f64>("loss").unwrap();
    eventually("heavy loss", LIMIT, || {
        receiver.report(5, 0);
        loss() > 0.12
    });
    assert!(told.try_recv().is_err(), "not while much gets lost");
    eventually("the request", LIMIT, || {
        receiver.report(0, 0);
        told.try_recv().is_ok()
    });
}

#[test]
fn streams_of_one_name_share_by_weight_what_their_transports_carry() {
    let abr = |n, weight| {
        format!(
            "{} ! adaptivebitrate name=abr{n} group=uplink-of-this-test weight={weight} ! fakesink async=false",
            ENCODER.replace("name=enc", "")
        )
    };
    let pipeline = Pipeline::parse(&format!("{} {}", abr(1, 1), abr(2, 3)));
    let [one, other] = ["abr1", "abr2"].map(|name| pipeline.element(name));
    pipeline.play();
    eventually("a division by weight", LIMIT, || {
        target(&other) > 2 * target(&one) && target(&one) > 200_000
    });
    assert_eq!(stats(&one).get::<u64>("streams"), Ok(2));
    let estimates = [&one, &other].map(|abr| abr.property::<u32>("estimated-bitrate"));
    let sum = target(&one) + target(&other);
    assert!(
        sum <= estimates.iter().sum::<u32>(),
        "{sum} of {estimates:?}"
    );
    one.set_property("priority", 1);
    eventually("the first before the second", LIMIT, || {
        target(&one) > target(&other)
    });
    one.set_property("group", None::<&str>);
    eventually("that it is alone", LIMIT, || {
        stats(&one).get::<u64>("streams") == Ok(1) && stats(&other).get::<u64>("streams") == Ok(1)
    });
}

#[test]
fn what_else_goes_through_the_session_is_subtracted() {
    let (_pipeline, abr, receiver) = start(&format!(
        "{ENCODER} ! adaptivebitrate name=abr ! rtph264pay pt=96 ! rtp.send_rtp_sink rtpsession name=rtp \
         rtp.send_rtp_src ! fakesink"
    ));
    let figure = |name| stats(&abr).get::<u32>(name).unwrap();
    eventually("the other stream", LIMIT, || {
        receiver.report(0, 1_000);
        figure("other-bitrate") > 300_000
    });
    let (estimate, others) = (figure("estimated-bitrate"), figure("other-bitrate"));
    assert!(
        target(&abr) < estimate - others / 2,
        "{} of {estimate} beside {others}",
        target(&abr)
    );
}
