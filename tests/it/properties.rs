//! What every element's properties promise.

use gst::prelude::*;

use crate::golden::surface::own_properties;

fn elements() -> impl Iterator<Item = gst::Element> {
    crate::support::init();
    gstlivetune::ELEMENTS
        .iter()
        .map(|(name, _)| gst::ElementFactory::make(name).build().unwrap())
}

#[test]
fn advertised_defaults_are_the_real_ones() {
    let mut wrong = Vec::new();
    for element in elements() {
        for property in own_properties(&element) {
            if !property.flags().contains(gst::glib::ParamFlags::READWRITE) {
                continue;
            }
            let advertised = format!("{:?}", property.default_value());
            let real = format!("{:?}", element.property_value(property.name()));
            if advertised != real {
                wrong.push(format!("{}: {advertised} is {real}", property.name()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_property_explains_itself() {
    for element in elements() {
        for property in own_properties(&element) {
            let blurb = property.blurb().unwrap_or_default();
            let name = format!("{}.{}", element.name(), property.name());
            assert!(blurb.len() > 20, "{name}: {blurb:?} explains nothing");
            assert!(property.nick().len() > 2, "{name} has no nick");
        }
    }
}

#[test]
fn every_element_has_stats_under_its_own_name() {
    for element in elements() {
        let factory = element.factory().unwrap().name();
        let stats: gst::Structure = element.property("stats");
        assert_eq!(
            stats.name().as_str(),
            format!("application/x-livetune-{factory}-stats")
        );
    }
}

#[test]
fn every_element_takes_its_low_latency_preset() {
    crate::support::init();
    gst::Preset::set_app_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/presets")).unwrap();
    for element in elements() {
        let name = element.name();
        let preset = element.dynamic_cast::<gst::Preset>();
        let preset = preset.unwrap_or_else(|_| panic!("{name} takes no presets"));
        let loaded = preset.load_preset("low-latency");
        loaded.unwrap_or_else(|error| panic!("{name}: {error}"));
    }
}
