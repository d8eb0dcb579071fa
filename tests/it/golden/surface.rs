//! The public surface of every element as text: names, pads, properties with type, range, default and flags, signals.

use std::fmt::Write as _;
use std::num::NonZeroU32;

use gst::glib;
use gst::glib::subclass::SignalId;
use gst::glib::translate::IntoGlib;
use gst::prelude::*;

/// Mutability flags of GStreamer, above GObject's own.
const MUTABILITY: [(u32, &str); 4] = [
    (1 << 9, "controllable"),
    (1 << 10, "changeable up to READY"),
    (1 << 11, "changeable up to PAUSED"),
    (1 << 12, "changeable up to PLAYING"),
];

/// All elements, in the order of the table.
pub fn describe() -> String {
    let mut text = String::new();
    for (name, _) in gstlivetune::ELEMENTS {
        let factory = gst::ElementFactory::find(name).unwrap();
        let element = factory.create().build().unwrap();
        writeln!(text, "# {name}").unwrap();
        for key in ["long-name", "klass", "description", "author"] {
            writeln!(text, "{key}: {}", factory.metadata(key).unwrap_or_default()).unwrap();
        }
        writeln!(text, "type: {}", element.type_()).unwrap();
        writeln!(text, "rank: {:?}", factory.rank()).unwrap();
        describe_pads(&mut text, &factory);
        describe_properties(&mut text, &element);
        describe_signals(&mut text, element.type_());
        text.push('\n');
    }
    for (name, _) in gstlivetune::TRACERS {
        let registry = gst::Registry::get();
        let tracer = registry.lookup_feature(name).unwrap();
        let tracer = tracer.load().unwrap().downcast::<gst::TracerFactory>();
        let kind = tracer.unwrap().tracer_type();
        writeln!(text, "# {name} (tracer)").unwrap();
        writeln!(text, "type: {kind}").unwrap();
        describe_signals(&mut text, kind);
        text.push('\n');
    }
    text
}

fn describe_pads(text: &mut String, factory: &gst::ElementFactory) {
    for pad in factory.static_pad_templates() {
        let (name, direction, presence) = (pad.name_template(), pad.direction(), pad.presence());
        let caps = pad.caps().to_string();
        let caps: String = caps.chars().take(100).collect();
        writeln!(text, "pad {name}: {direction:?} {presence:?} {caps}").unwrap();
    }
}

fn describe_properties(text: &mut String, element: &gst::Element) {
    for property in own_properties(element) {
        let flags = property.flags();
        let access = match (
            flags.contains(glib::ParamFlags::READABLE),
            flags.contains(glib::ParamFlags::WRITABLE),
        ) {
            (true, true) => "read-write",
            (true, false) => "read-only",
            _ => "write-only",
        };
        let mutable = MUTABILITY
            .iter()
            .filter(|(bit, _)| flags.bits() & bit != 0)
            .map(|(_, name)| format!(", {name}"))
            .collect::<String>();
        let (name, kind) = (property.name(), property.value_type());
        let default = default(&property);
        let range = range(&property);
        let blurb = property.blurb().unwrap_or_default();
        writeln!(
            text,
            "property {name}: {kind}{range}, default {default}, {access}{mutable}"
        )
        .unwrap();
        writeln!(text, "    {blurb}").unwrap();
    }
}

/// The properties that the element itself has, not those of its parent classes.
pub fn own_properties(element: &gst::Element) -> Vec<glib::ParamSpec> {
    let own = |property: &glib::ParamSpec| property.owner_type() == element.type_();
    element
        .list_properties()
        .iter()
        .filter(|p| own(p))
        .cloned()
        .collect()
}

fn default(property: &glib::ParamSpec) -> String {
    let value = property.default_value();
    // GStreamer 1.22 says a critical when it writes a structure that is not there.
    if value.type_() == gst::Structure::static_type() {
        return "NULL".to_owned();
    }
    let text = value.transform::<String>().ok();
    let text = text.and_then(|text| text.get::<Option<String>>().ok());
    text.flatten().unwrap_or_else(|| "NULL".to_owned())
}

fn range(property: &glib::ParamSpec) -> String {
    if let Some(uint) = property.downcast_ref::<glib::ParamSpecUInt>() {
        return format!(" {}..{}", uint.minimum(), uint.maximum());
    }
    if let Some(double) = property.downcast_ref::<glib::ParamSpecDouble>() {
        return format!(" {}..{}", double.minimum(), double.maximum());
    }
    String::new()
}

fn describe_signals(text: &mut String, kind: glib::Type) {
    for signal in signals(kind) {
        let query = signal.query();
        let parameters = query.param_types().iter().map(|t| t.type_().name());
        let parameters = parameters.collect::<Vec<_>>().join(", ");
        writeln!(text, "signal {}({parameters})", query.signal_name()).unwrap();
    }
}

/// The signals that the type itself has; the GLib crate has no call for them.
fn signals(kind: glib::Type) -> Vec<SignalId> {
    let mut count = 0;
    // SAFETY: the list has `count` ids of signals that exist, and is ours to free.
    unsafe {
        let ids = glib::gobject_ffi::g_signal_list_ids(kind.into_glib(), &mut count);
        let found = (0..count as usize)
            .filter_map(|at| NonZeroU32::new(*ids.add(at)))
            .map(|id| SignalId::new(id))
            .collect();
        glib::ffi::g_free(ids.cast());
        found
    }
}
