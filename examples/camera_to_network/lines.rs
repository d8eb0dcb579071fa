//! The two pipelines, as gst-launch-1.0 takes them.

use std::path::Path;

use crate::options::Options;

/// How often either side reports; RTP's own default of 5 s is slow for a demonstration.
pub const RTCP_INTERVAL: gst::ClockTime = gst::ClockTime::from_mseconds(300);

/// A moving ball with the grain of a camera's sensor: a clean one would not need the bits that it is given.
const TEST_PICTURE: &str = "videotestsrc is-live=true pattern=ball \
    ! video/x-raw,format=BGRx,width=1280,height=720,framerate=30/1 \
    ! agingtv scratch-lines=0 dusts=false pits=false ! videoconvert ! video/x-raw,format=I420";

/// Camera (or file) to network, through all five elements.
pub fn sender(options: &Options) -> String {
    let source = match &options.file {
        Some(file) => format!(
            "filesrc location={} ! decodebin ! videoconvert ! clocksync",
            quoted(file)
        ),
        None => TEST_PICTURE.to_owned(),
    };
    let (model, labels) = (quoted(&options.model), quoted(&options.labels));
    let confidence = options.confidence;
    let [rtp, rtcp_out, rtcp_in] = ports(options);
    format!(
        "rtpbin name=rtp update-ntp64-header-ext=false \
         {source} ! latencytracer name=captured stage=capture network=true \
         ! bufferrecycler name=recycler ! qualityswitch name=quality \
         ! gpuinfer name=infer model={model} labels={labels} confidence={confidence} draw=true post-messages=true \
         ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=60 \
         ! adaptivebitrate name=bitrate start-bitrate=1000000 max-bitrate=4000000 \
         ! latencytracer name=encoded stage=encoded \
         ! rtph264pay config-interval=-1 aggregate-mode=zero-latency \
         ! application/x-rtp,extmap-1=urn:ietf:params:rtp-hdrext:ntp-64 ! rtp.send_rtp_sink_0 \
         rtp.send_rtp_src_0 ! udpsink host=127.0.0.1 port={rtp} sync=false async=false \
         rtp.send_rtcp_src_0 ! udpsink host=127.0.0.1 port={rtcp_out} sync=false async=false \
         udpsrc address=127.0.0.1 port={rtcp_in} caps=application/x-rtcp ! rtp.recv_rtcp_sink_0"
    )
}

/// Network to display.
pub fn receiver(options: &Options, display: bool) -> String {
    let [rtp, rtcp_in, rtcp_out] = ports(options);
    let sink = if display { "autovideosink" } else { "fakesink" };
    format!(
        "rtpbin name=rtp latency=20 add-reference-timestamp-meta=true \
         udpsrc address=127.0.0.1 port={rtp} caps=application/x-rtp,media=video,clock-rate=90000,\
         encoding-name=H264,payload=96,extmap-1=urn:ietf:params:rtp-hdrext:ntp-64 \
         ! rtp.recv_rtp_sink_0 \
         rtp. ! rtph264depay ! avdec_h264 ! videoconvert \
         ! latencytracer name=displayed stage=displayed ! {sink} name=screen sync=true \
         udpsrc address=127.0.0.1 port={rtcp_in} caps=application/x-rtcp ! rtp.recv_rtcp_sink_0 \
         rtp.send_rtcp_src_0 ! udpsink host=127.0.0.1 port={rtcp_out} sync=false async=false"
    )
}

/// `line` as a person types it: reports every 300 ms, and what the shell would take for its own quoted.
pub fn for_the_shell(line: &str) -> String {
    let reports = format!(
        "rtpbin rtpsession0::rtcp-min-interval={}",
        RTCP_INTERVAL.nseconds()
    );
    let line = line.replacen("rtpbin", &reports, 1);
    let word = |word: &str| {
        if word.chars().all(is_plain) {
            word.to_owned()
        } else {
            format!("'{word}'")
        }
    };
    words(&line).map(word).collect::<Vec<_>>().join(" ")
}

/// The words of `line`; white space between double quotes parts none.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    line.split(move |c: char| {
        is_quoted ^= c == '"';
        c.is_whitespace() && !is_quoted
    })
    .filter(|word| !word.is_empty())
}

fn ports(options: &Options) -> [u16; 3] {
    [0, 1, 2].map(|offset| options.port.saturating_add(offset))
}

/// A path as a value in a pipeline line.
fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    if text.chars().all(is_plain) {
        return text;
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// Neither the shell nor GStreamer reads more into such a character.
fn is_plain(c: char) -> bool {
    c.is_alphanumeric() || "-_./:=,%+@!".contains(c)
}
