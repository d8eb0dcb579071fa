//! `adaptivebitrate` behind `qualityswitch`: frames that are left out before the encoder.

use gst::prelude::*;

use super::kbps;
use super::network::{SNOW, over_udp};
use crate::support::pipeline::{LIMIT, stats};
use crate::support::wait::eventually;

#[test]
fn an_encoder_that_gets_half_the_frames_of_its_caps_sends_the_target_and_rises() {
    let line = format!(
        "{SNOW} ! qualityswitch auto=false ladder=half=320x240@15 ! \
         x264enc name=enc tune=zerolatency speed-preset=ultrafast bitrate=300 ! \
         adaptivebitrate name=abr max-bitrate=1500000 ! rtph264pay"
    );
    let (sender, _receiver) = over_udp(&line, "identity");
    let (encoder, abr) = (sender.element("enc"), sender.element("abr"));
    eventually("the target at the maximum", LIMIT, || {
        abr.property::<u32>("target-bitrate") == 1_500_000
    });
    eventually("the maximum on its way", LIMIT, || {
        let sent: u32 = stats(&abr).get("sent-bitrate").unwrap();
        (1_350_000..1_650_000).contains(&sent) && kbps(&encoder) > 2_500
    });
    sender.set_state(gst::State::Null).unwrap();
    assert_eq!(kbps(&encoder), 1_500, "the next start begins with more");
}

/// The levels that are sent, best last.
const LEVELS: [&str; 4] = ["ultra-low", "low", "medium", "high"];

const GRAIN: &str = "videotestsrc is-live=true pattern=ball \
    ! video/x-raw,format=BGRx,width=640,height=360,framerate=30/1 \
    ! agingtv scratch-lines=0 dusts=false pits=false ! videoconvert ! video/x-raw,format=I420";

#[test]
fn from_the_lowest_level_a_grainy_picture_climbs_back_level_by_level() {
    let line = format!(
        "{GRAIN} ! qualityswitch name=quality sensors=network ! x264enc tune=zerolatency speed-preset=ultrafast \
         ! adaptivebitrate name=abr start-bitrate=180000 max-bitrate=1500000 ! rtph264pay"
    );
    let (sender, _receiver) = over_udp(&line, "identity");
    let news = || sender.wait_for_element_message("livetune-quality");
    assert_eq!(news().get("level"), Ok(LEVELS[0]));
    for steps in LEVELS.windows(2) {
        let news = news();
        assert_eq!(news.get("previous"), Ok(steps[0]));
        assert_eq!(news.get("level"), Ok(steps[1]));
        assert_eq!(news.get("reason"), Ok("network"));
    }
    let abr = sender.element("abr");
    eventually("all that may be sent", LIMIT, || {
        abr.property::<u32>("target-bitrate") == 1_500_000
    });
    let switches: u64 = stats(&sender.element("quality")).get("switches").unwrap();
    assert_eq!(switches, LEVELS.len() as u64);
}

#[test]
fn a_network_that_loses_much_costs_levels_and_they_come_back() {
    let line = format!(
        "{GRAIN} ! qualityswitch name=quality sensors=network ! x264enc tune=zerolatency speed-preset=ultrafast \
         ! adaptivebitrate name=abr start-bitrate=1000000 max-bitrate=1500000 ! rtph264pay mtu=400"
    );
    let (sender, _receiver) = over_udp(&line, "netsim name=network");
    let (abr, quality) = (sender.element("abr"), sender.element("quality"));
    let network = sender.element("network");
    let sends = |level: &str, least: u32, most: u32| {
        let target = abr.property::<u32>("target-bitrate");
        (least..=most).contains(&target) && quality.property::<String>("level") == level
    };
    eventually("all of it", LIMIT, || sends("high", 1_500_000, 1_500_000));
    network.set_property("drop-probability", 0.3_f32);
    eventually("next to nothing", LIMIT, || {
        sends("ultra-low", 100_000, 250_000)
    });
    network.set_property("drop-probability", 0.0_f32);
    eventually("all of it again", LIMIT, || {
        sends("high", 1_400_000, 1_500_000)
    });
}
