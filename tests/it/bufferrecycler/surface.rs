//! What a user meets on the command line.

use std::process::Output;

use crate::support::launch::{gst_launch, gstreamer};

fn said(output: &Output) -> String {
    let (out, err) = (&output.stdout, &output.stderr);
    format!(
        "{}{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(err)
    )
}

#[test]
fn the_manual_page_names_every_property() {
    let output = gstreamer("gst-inspect-1.0")
        .arg("bufferrecycler")
        .output()
        .unwrap();
    let page = said(&output);
    for word in [
        "min-buffers",
        "max-buffers",
        "alignment",
        "extra-buffers",
        "copy-out",
        "process-allocator",
        "advise",
        "stats",
        "low-latency",
        "Buffer recycler",
    ] {
        assert!(page.contains(word), "{word} is missing in\n{page}");
    }
}

#[test]
fn the_preset_works_on_the_command_line() {
    let output = gst_launch(
        "videotestsrc num-buffers=5 ! video/x-raw,width=64,height=48 ! bufferrecycler @preset=low-latency ! fakesink",
    );
    assert!(output.status.success(), "{}", said(&output));
    let unknown = gst_launch("fakesrc num-buffers=1 ! bufferrecycler @preset=nonsense ! fakesink");
    let refusal = said(&unknown);
    assert!(
        !unknown.status.success() || refusal.contains("nonsense"),
        "{refusal}"
    );
}

#[test]
fn the_line_of_the_manual_runs() {
    let output = gst_launch(
        "videotestsrc num-buffers=5 ! video/x-bayer,width=5120,height=2160 ! bayer2rgb ! \
         bufferrecycler min-buffers=4 ! queue ! fakesink",
    );
    assert!(output.status.success(), "{}", said(&output));
}
