//! Real videos come out bit by bit as they went in, with everything switched on.

use std::path::Path;

use super::{count, fingerprint, taken, watch};
use crate::support::alone::alone;
use crate::support::media;
use crate::support::pipeline::{Pipeline, stats};

const FRAMES: usize = 1_000;
const SIZE: &str = "video/x-raw,format=RGB,width=320,height=180";

/// Time and pixels of the first frames of `video`, with `between` behind the decoder and behind the scaler.
fn pictures(video: &Path, between: &str) -> Vec<u64> {
    let pipeline = Pipeline::parse(&format!(
        "filesrc location={} ! qtdemux ! h264parse ! avdec_h264 ! {between} name=r ! \
         identity eos-after={} ! tee name=t ! queue ! videobalance contrast=1.1 ! videoconvert ! {between} name=s ! \
         videoscale ! {SIZE} ! fakesink name=end t. ! queue ! fakesink",
        video.display(),
        FRAMES + 10,
    ));
    let seen = watch(&pipeline.element("end"), |buffer| fingerprint(buffer, 320));
    pipeline.run_to_eos();
    if between.contains("always") {
        let recycler = pipeline.element("r");
        let ours = count(&recycler, "copies") + count(&recycler, "recycled");
        assert!(ours >= 1_000, "{}", stats(&recycler));
        assert_eq!(count(&recycler, "written-after-return"), 0);
    }
    let mut seen = taken(&seen).clone();
    assert!(seen.len() >= FRAMES, "{}: {}", video.display(), seen.len());
    seen.truncate(FRAMES);
    seen
}

#[test]
fn a_thousand_frames_are_identical_with_poison() {
    let name = "bufferrecycler::identical::a_thousand_frames_are_identical_with_poison";
    let videos = [
        "media/bottle-detection.mp4",
        "media/one-by-one-person-detection.mp4",
    ];
    let Some(videos) = videos
        .map(media::shared)
        .into_iter()
        .collect::<Option<Vec<_>>>()
    else {
        return;
    };
    alone(name, || {
        for video in &videos {
            let stock = pictures(video, "identity");
            for settings in [
                "poison=true process-allocator=true propose=both copy-out=always",
                "poison=true idle-trim=20 max-buffers=4 max-wait=5 min-size=0 prefault=true alignment=256",
            ] {
                let ours = pictures(video, &format!("bufferrecycler {settings}"));
                assert!(stock == ours, "{}: {settings}", video.display());
            }
        }
    });
}
