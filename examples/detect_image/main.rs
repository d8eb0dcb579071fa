//! Objects in a picture: an image goes in, a PNG with boxes and a line of JSON come out; with any model.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use gst::prelude::*;

/// Finds objects in an image: writes the image with boxes to a PNG file and what was found as JSON.
#[derive(Debug, Parser)]
#[command(name = "detect_image")]
struct Options {
    /// The image: PNG, JPEG or what else GStreamer decodes.
    image: PathBuf,
    /// The network, an .onnx file.
    #[arg(long, default_value = "models/shapes.onnx")]
    model: PathBuf,
    /// The names of its classes, one a line.
    #[arg(long)]
    labels: Option<PathBuf>,
    /// Objects with less confidence are not reported.
    #[arg(long, default_value_t = 0.5)]
    confidence: f64,
    /// Where the image with boxes goes.
    #[arg(long, default_value = "objects.png")]
    output: PathBuf,
    /// Where the JSON goes; - is the standard output.
    #[arg(long, default_value = "-")]
    json: PathBuf,
    /// Any other property of gpuinfer, as gst-launch-1.0 takes it; may be given several times.
    #[arg(long = "set", value_name = "PROPERTY=VALUE")]
    properties: Vec<String>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            complain(&why.to_string());
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stderr, reason = "a program says what is wrong there")]
fn complain(why: &str) {
    eprintln!("{why}");
}

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn run(options: &Options) -> Outcome<()> {
    gst::init()?;
    gstlivetune::plugin_register_static()?;
    let pipeline = build(options)?;
    let bus = pipeline.bus().ok_or("a pipeline without a bus")?;
    pipeline.set_state(gst::State::Playing).ok();
    let outcome = wait(&bus);
    // Waits until the JSON is written.
    pipeline.set_state(gst::State::Null)?;
    outcome
}

/// filesrc ! decodebin ! videoconvert ! RGB ! gpuinfer ! videoconvert ! pngenc ! filesink
fn build(options: &Options) -> Outcome<gst::Pipeline> {
    let make = gst::ElementFactory::make;
    let source = make("filesrc")
        .property("location", &options.image)
        .build()?;
    let decoder = make("decodebin").build()?;
    let before = make("videoconvert").build()?;
    let rgb = gst::Caps::builder("video/x-raw").field("format", "RGB");
    let rgb = make("capsfilter").property("caps", rgb.build()).build()?;
    let infer = infer(options)?;
    let after = make("videoconvert").build()?;
    let encoder = make("pngenc").property("snapshot", true).build()?;
    let sink = make("filesink")
        .property("location", &options.output)
        .build()?;
    let pipeline = gst::Pipeline::new();
    pipeline.add_many([&source, &decoder])?;
    source.link(&decoder)?;
    let rest = [&before, &rgb, &infer, &after, &encoder, &sink];
    pipeline.add_many(rest)?;
    gst::Element::link_many(rest)?;
    decoder.connect_pad_added(move |_, pad| {
        if let Some(sink) = before.static_pad("sink").filter(|sink| !sink.is_linked()) {
            // What is no picture does not fit, and the pipeline says so.
            let _ = pad.link(&sink);
        }
    });
    Ok(pipeline)
}

fn infer(options: &Options) -> Outcome<gst::Element> {
    let infer = gst::ElementFactory::make("gpuinfer")
        .property("model", options.model.to_str())
        .property(
            "labels",
            options.labels.as_ref().and_then(|path| path.to_str()),
        )
        .property("confidence", options.confidence)
        .property("draw", true)
        .property_from_str("publish", "jsonl")
        .property("publish-location", options.json.to_str())
        .build()?;
    for property in &options.properties {
        let (name, value) = property
            .split_once('=')
            .ok_or_else(|| format!("--set wants PROPERTY=VALUE, not {property}"))?;
        let spec = infer
            .find_property(name)
            .ok_or_else(|| format!("gpuinfer has no property {name}"))?;
        let value = gst::glib::Value::deserialize_with_pspec(value, &spec)
            .map_err(|_| format!("{value} is no value of the property {name}"))?;
        infer.set_property_from_value(name, &value);
    }
    Ok(infer)
}

fn wait(bus: &gst::Bus) -> Outcome<()> {
    for message in bus.iter_timed(gst::ClockTime::NONE) {
        match message.view() {
            gst::MessageView::Eos(_) => break,
            gst::MessageView::Warning(warning) => complain(&warning.error().to_string()),
            gst::MessageView::Error(error) => {
                let details = error.debug().unwrap_or_default();
                let details = details.lines().last().unwrap_or_default();
                return Err(format!("{} {details}", error.error()).into());
            }
            _ => (),
        }
    }
    Ok(())
}
