//! Values of foreign properties: numbers in their range, texts that fit or are left out. Nothing here panics on
//! what an element turns out to have.

use gst::glib;
use gst::glib::translate::{ToGlibPtr, ToGlibPtrMut};
use gst::prelude::*;

/// `element` has the property, and it can be read and written at any time.
pub(crate) fn usable(element: &gst::Element, name: &str) -> Option<glib::ParamSpec> {
    let spec = element.find_property(name)?;
    let flags = spec.flags();
    let free = flags.contains(glib::ParamFlags::READWRITE)
        && !flags.contains(glib::ParamFlags::CONSTRUCT_ONLY);
    free.then_some(spec)
}

/// The number that the property `name` is, where it is one.
pub(crate) fn number(element: &gst::Element, name: &str) -> Option<u64> {
    let value = element.property_value(usable(element, name)?.name());
    let number = value.get::<u32>().map(u64::from).ok();
    let number = number.or_else(|| u64::try_from(value.get::<i32>().ok()?).ok());
    number.or_else(|| value.get::<u64>().ok())
}

/// Sets the property `name` to `number`, or as near as its range allows. Answers what it was set to.
pub(crate) fn set_number(element: &gst::Element, name: &str, number: u64) -> Option<u64> {
    let spec = usable(element, name)?;
    let value = fitting(&spec, number)?;
    element.set_property_from_value(name, &value);
    let set = value.get::<u32>().map(u64::from).ok();
    let set = set.or_else(|| u64::try_from(value.get::<i32>().ok()?).ok());
    set.or_else(|| value.get::<u64>().ok())
}

/// `number` as a value that the property `spec` takes.
pub(crate) fn fitting(spec: &glib::ParamSpec, number: u64) -> Option<glib::Value> {
    if let Some(spec) = spec.downcast_ref::<glib::ParamSpecUInt>() {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        return Some(number.clamp(spec.minimum(), spec.maximum()).to_value());
    }
    if let Some(spec) = spec.downcast_ref::<glib::ParamSpecUInt64>() {
        return Some(number.clamp(spec.minimum(), spec.maximum()).to_value());
    }
    let spec = spec.downcast_ref::<glib::ParamSpecInt>()?;
    let number = i32::try_from(number).unwrap_or(i32::MAX);
    Some(number.clamp(spec.minimum(), spec.maximum()).to_value())
}

/// The structure that the property `name` is, where it is one and set.
pub(crate) fn structure(element: &gst::Element, name: &str) -> Option<gst::Structure> {
    let value = element.property_value(usable(element, name)?.name());
    value.get::<Option<gst::Structure>>().ok().flatten()
}

/// Sets the property `name` to `structure`, where it takes one.
pub(crate) fn set_structure(element: &gst::Element, name: &str, structure: gst::Structure) {
    let spec = usable(element, name);
    if spec.is_some_and(|spec| spec.value_type() == gst::Structure::static_type()) {
        element.set_property(name, structure);
    }
}

/// The value of the property `spec` as gst-launch-1.0 would take it.
pub(crate) fn text_of(element: &gst::Element, spec: &glib::ParamSpec) -> Option<String> {
    if !spec.flags().contains(glib::ParamFlags::READABLE) {
        return None;
    }
    text(&element.property_value(spec.name()))
}

/// The value is the one that the property has when nobody sets it.
pub(crate) fn is_default(element: &gst::Element, spec: &glib::ParamSpec) -> bool {
    text_of(element, spec) == text(spec.default_value())
}

fn text(value: &glib::Value) -> Option<String> {
    value.serialize().ok().map(|text| text.to_string())
}

/// `text` as a value of the property `spec`; `None` where it is none, or out of its range.
pub(crate) fn parsed(spec: &glib::ParamSpec, text: &str) -> Option<glib::Value> {
    let mut value = glib::Value::deserialize_with_pspec(text, spec).ok()?;
    // SAFETY: both are valid, and the value has the property's type.
    let changed = unsafe {
        glib::gobject_ffi::g_param_value_validate(spec.to_glib_none().0, value.to_glib_none_mut().0)
    };
    (changed == glib::ffi::GFALSE).then_some(value)
}
