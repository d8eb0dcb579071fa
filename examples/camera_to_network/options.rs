//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

/// A camera, all five livetune elements, RTP over loopback, a receiver: with the latency of every stage.
#[derive(Debug, Parser)]
#[command(name = "camera_to_network")]
pub struct Options {
    /// How long to run, in seconds; a file may end earlier.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..))]
    duration: u64,
    /// A video file in place of the test picture, played in real time.
    #[arg(long)]
    pub file: Option<PathBuf>,
    /// The detector: an ONNX model with a YOLOX or YOLOv8 head.
    #[arg(long, default_value = "models/shapes.onnx")]
    pub model: PathBuf,
    /// The detector's labels, one a line.
    #[arg(long, default_value = "models/shapes.txt")]
    pub labels: PathBuf,
    /// Objects with less confidence are not reported.
    #[arg(long, default_value_t = 0.5)]
    pub confidence: f64,
    /// Writes the last picture that was displayed, boxes drawn, to this PNG file.
    #[arg(long)]
    pub snapshot: Option<PathBuf>,
    /// Writes what all elements know of themselves at the end, as OpenMetrics text, to this file.
    #[arg(long)]
    pub metrics: Option<PathBuf>,
    /// The first of the three UDP ports on 127.0.0.1: RTP, RTCP to the receiver, RTCP to the sender.
    #[arg(long, default_value_t = 5004)]
    pub port: u16,
}

impl Options {
    pub fn duration(&self) -> Duration {
        Duration::from_secs(self.duration)
    }
}
