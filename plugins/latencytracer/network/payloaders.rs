//! Makes RTP payloaders carry capture times: header extension ntp-64 (RFC 6051) on every packet.
//!
//! What an extension's number is in this stream is agreed in caps: `extmap-1=urn:ietf:params:rtp-hdrext:ntp-64`. Where
//! caps behind the payloader ask for a number it is that one; else the lowest that is free, in the caps with which the
//! payloader starts. Payloaders add extensions of their own for what such caps ask for, but with the time in the first
//! packet of a frame, while depayloaders up to GStreamer 1.22 read that of the last.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock, Mutex};

use gst::glib;
use gst::prelude::*;

use crate::runtime::guard::guard;
use crate::runtime::lock::lock;
use crate::runtime::walk::{Step, is_of_class, walk};

const EXTENSION: &str = "rtphdrextntp64";
const EVERY_PACKET: &str = "every-packet";
/// The payloader's own answer to what caps ask for.
const AUTOMATIC: &str = "auto-header-extension";
const URI: &str = "urn:ietf:params:rtp-hdrext:ntp-64";
/// What RTP sessions have, who write the time of sending over that of the capture.
const OVERWRITES: &str = "update-ntp64-header-ext";
/// The highest number of an extension with a header of one byte (RFC 8285).
const HIGHEST: u32 = 14;

/// What one payloader does with the time; lies on the payloader, for all taps that find it.
#[derive(Debug, Default)]
pub(super) struct Carrier {
    /// Its caps hold the extension.
    carries: AtomicBool,
}

impl Carrier {
    pub(super) fn carries(&self) -> bool {
        self.carries.load(Ordering::Acquire)
    }
}

/// Whether GStreamer has the extension.
pub(super) fn extension_is_there() -> bool {
    gst::ElementFactory::find(EXTENSION).is_some()
}

/// Prepares every payloader that `srcpad` feeds, and the RTP sessions there, which leave the time alone then.
pub(super) fn prepare(srcpad: &gst::Pad) -> Vec<Arc<Carrier>> {
    let mut payloaders = Vec::new();
    let mut sessions = Vec::new();
    let _: Option<()> = walk(srcpad, |pad| {
        if let Some(element) = pad.parent_element() {
            if is_payloader(&element) && !payloaders.contains(&element) {
                payloaders.push(element);
            } else if element.has_property_with_type(OVERWRITES, glib::Type::BOOL) {
                sessions.push(element);
            }
        }
        Step::On
    });
    for session in sessions {
        leave_the_time_alone(session.upcast());
    }
    payloaders.iter().map(prepare_payloader).collect()
}

fn is_payloader(element: &gst::Element) -> bool {
    let kind = element.type_();
    let base = glib::Type::from_name("GstRTPBasePayload");
    let classed = base.is_some_and(|base| kind.is_a(base)) || is_of_class(element, "Payloader");
    classed
        && element.has_property_with_type(AUTOMATIC, glib::Type::BOOL)
        && ["add-extension", "request-extension"]
            .iter()
            .all(|signal| glib::subclass::SignalId::lookup(signal, kind).is_some())
}

/// The session and the bin around it, which would set the next session as it is set itself.
fn leave_the_time_alone(session: gst::Object) {
    let mut object = Some(session);
    while let Some(found) = object {
        if found.has_property_with_type(OVERWRITES, glib::Type::BOOL) {
            found.set_property(OVERWRITES, false);
        }
        object = found.parent();
    }
}

fn prepare_payloader(payloader: &gst::Element) -> Arc<Carrier> {
    let (carrier, new) = carrier_of(payloader);
    if new {
        answer_requests(payloader);
        if let Some(pad) = payloader.static_pad("src") {
            watch_caps(&pad, carrier.clone());
            if let Some(caps) = pad.current_caps() {
                add_late(payloader, &pad, &caps, &carrier);
            }
        }
    }
    carrier
}

/// The carrier that lies on `payloader`, and whether it was put there just now.
fn carrier_of(payloader: &gst::Element) -> (Arc<Carrier>, bool) {
    static KEY: LazyLock<glib::Quark> = LazyLock::new(|| glib::Quark::from_str("livetune-carrier"));
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = lock(&ONE_AT_A_TIME);
    // SAFETY: nothing else uses the key, and under it lies nothing but an `Arc<Carrier>`, which stays there.
    unsafe {
        match payloader.qdata::<Arc<Carrier>>(*KEY) {
            Some(there) => (there.as_ref().clone(), false),
            None => {
                let carrier = Arc::<Carrier>::default();
                payloader.set_qdata(*KEY, carrier.clone());
                (carrier, true)
            }
        }
    }
}

/// The payloader asks for extensions that caps behind it want.
fn answer_requests(payloader: &gst::Element) {
    let Some(kind) = glib::Type::from_name("GstRTPHeaderExtension") else {
        return;
    };
    payloader.connect("request-extension", false, move |values| {
        let made = guard("an answer to request-extension", None, || {
            let payloader = values.first()?.get::<gst::Element>().ok()?;
            let id = values.get(1)?.get::<u32>().ok()?;
            let uri = values.get(2)?.get::<String>().ok()?;
            let wanted = uri == URI && !ASKING.get();
            wanted.then(|| extension(&payloader, id)).flatten()
        });
        let mut answer = glib::Value::from_type(kind);
        if let Some(made) = made.map(|made| made.to_value()) {
            answer = made.transform_with_type(kind).unwrap_or(answer);
        }
        Some(answer)
    });
}

/// A payloader that starts says with its caps which extensions it has.
fn watch_caps(pad: &gst::Pad, carrier: Arc<Carrier>) {
    pad.add_probe(gst::PadProbeType::EVENT_DOWNSTREAM, move |pad, info| {
        guard("the caps of a payloader", (), || {
            if let Some(event) = info.event()
                && let gst::EventView::Caps(event) = event.view()
                && let Some(caps) = with_extension(pad, event.caps(), &carrier)
            {
                info.data = Some(gst::PadProbeData::Event(gst::event::Caps::new(&caps)));
            }
        });
        gst::PadProbeReturn::Ok
    });
}

/// Adds the extension where `caps` lack it, before the first packet: `caps` with it.
fn with_extension(pad: &gst::Pad, caps: &gst::CapsRef, carrier: &Carrier) -> Option<gst::Caps> {
    if number(caps).is_some() {
        carrier.carries.store(true, Ordering::Release);
        return None;
    }
    let id = free_number(caps, &pad.peer_query_caps(None))?;
    let payloader = pad.parent_element()?;
    let made = extension(&payloader, id)?;
    payloader.emit_by_name::<()>("add-extension", &[&made]);
    carrier.carries.store(true, Ordering::Release);
    let mut caps = caps.to_owned();
    caps.make_mut().set(format!("extmap-{id}"), URI);
    Some(caps)
}

/// Of a payloader that has started already with these `caps`: it sends new ones before its next packet.
fn add_late(payloader: &gst::Element, pad: &gst::Pad, caps: &gst::CapsRef, carrier: &Carrier) {
    let Some(id) = number(caps) else {
        // The next caps event says that it carries the time.
        with_extension(pad, caps, carrier);
        return;
    };
    // Made by the payloader, for the first packet of a frame only. It cannot be taken out but with all others.
    if numbers(caps).len() == 1
        && let Some(made) = extension(payloader, id)
    {
        payloader.emit_by_name::<()>("clear-extensions", &[]);
        payloader.emit_by_name::<()>("add-extension", &[&made]);
    }
    carrier.carries.store(true, Ordering::Release);
}

thread_local! {
    /// The payloader is asked from here: our own answer to it must not be asked again.
    static ASKING: Cell<bool> = const { Cell::new(false) };
}

/// The extension with this number, which only libgstrtp can give it, and so the payloader does.
fn extension(payloader: &gst::Element, id: u32) -> Option<gst::Element> {
    let automatic = payloader.property::<bool>(AUTOMATIC);
    payloader.set_property(AUTOMATIC, true);
    ASKING.set(true);
    let made: Option<gst::Element> = payloader.emit_by_name("request-extension", &[&id, &URI]);
    ASKING.set(false);
    payloader.set_property(AUTOMATIC, automatic);
    let made = made.filter(|made| made.has_property_with_type(EVERY_PACKET, glib::Type::BOOL))?;
    made.set_property(EVERY_PACKET, true);
    Some(made)
}

/// The numbers of all extensions in `caps`.
fn numbers(caps: &gst::CapsRef) -> Vec<u32> {
    caps.iter().flat_map(numbers_in).collect()
}

/// The number of ours in `caps`.
fn number(caps: &gst::CapsRef) -> Option<u32> {
    caps.iter().find_map(|structure| {
        numbers_in(structure).find(|id| uri(structure, *id).as_deref() == Some(URI))
    })
}

fn numbers_in(structure: &gst::StructureRef) -> impl Iterator<Item = u32> {
    let fields = structure.fields();
    fields.filter_map(|field| field.strip_prefix("extmap-")?.parse().ok())
}

/// What the extension with this number is: a word, or the second of several.
fn uri(structure: &gst::StructureRef, id: u32) -> Option<String> {
    let value = structure.value(format!("extmap-{id}")).ok()?;
    if let Ok(words) = value.get::<gst::Array>() {
        return words.get(1)?.get().ok();
    }
    value.get().ok()
}

/// The lowest number that neither the payloader nor anyone behind it uses.
fn free_number(caps: &gst::CapsRef, wanted: &gst::CapsRef) -> Option<u32> {
    let taken: Vec<u32> = [caps, wanted].into_iter().flat_map(numbers).collect();
    (1..=HIGHEST).find(|id| !taken.contains(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caps(text: &str) -> gst::Caps {
        gst::init().expect("GStreamer starts");
        let text = format!("application/x-rtp,{text}");
        text.parse().expect("caps")
    }

    #[test]
    fn the_number_is_found_in_either_form() {
        let plain = caps("extmap-3=urn:ietf:params:rtp-hdrext:ntp-64,extmap-1=urn:else");
        assert_eq!(number(&plain), Some(3));
        let array = "extmap-7=(string)<\"\",\"urn:ietf:params:rtp-hdrext:ntp-64\",\"\">";
        assert_eq!(number(&caps(array)), Some(7));
        assert_eq!(number(&caps("extmap-1=urn:else,payload=96")), None);
    }

    #[test]
    fn the_lowest_free_number_is_taken() {
        let own = caps("extmap-1=urn:a,extmap-3=urn:b,payload=96");
        assert_eq!(free_number(&own, &caps("extmap-2=urn:c")), Some(4));
        assert_eq!(free_number(&own, &gst::Caps::new_any()), Some(2));
        let full: Vec<String> = (1..=14).map(|id| format!("extmap-{id}=urn:a")).collect();
        assert_eq!(free_number(&caps(&full.join(",")), &own), None);
    }
}
