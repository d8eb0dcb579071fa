//! The value of every element's `stats` property.

use gst::glib;
use gst::glib::prelude::*;

/// A `GstStructure` that the `Properties` derive accepts; `gst::Structure` has no `HasParamSpec`.
#[derive(Clone, Debug)]
pub struct Stats(pub gst::Structure);

impl StaticType for Stats {
    fn static_type() -> glib::Type {
        gst::Structure::static_type()
    }
}

impl ToValue for Stats {
    fn to_value(&self) -> glib::Value {
        self.0.to_value()
    }

    fn value_type(&self) -> glib::Type {
        Self::static_type()
    }
}

impl From<Stats> for glib::Value {
    fn from(stats: Stats) -> Self {
        stats.0.to_value()
    }
}

unsafe impl<'a> glib::value::FromValue<'a> for Stats {
    type Checker = glib::value::GenericValueTypeOrNoneChecker<Self>;

    unsafe fn from_value(value: &'a glib::Value) -> Self {
        // SAFETY: the Checker saw that the value holds a structure, and not none.
        Self(unsafe { gst::Structure::from_value(value) })
    }
}

impl ValueType for Stats {
    type Type = Self;
}

impl HasParamSpec for Stats {
    type ParamSpec = glib::ParamSpecBoxed;
    type SetValue = Self;
    type BuilderFn = for<'a> fn(&'a str) -> glib::ParamSpecBoxedBuilder<'a, Self>;

    fn param_spec_builder() -> Self::BuilderFn {
        glib::ParamSpecBoxed::builder::<Self>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_without_a_structure_is_refused() {
        gst::init().expect("GStreamer starts");
        let none = glib::Value::from_type(Stats::static_type());
        assert!(none.get::<Stats>().is_err());
        let full = Stats(gst::Structure::new_empty("full")).to_value();
        assert_eq!(
            full.get::<Stats>().map(|stats| stats.0.name().to_string()),
            Ok("full".to_owned())
        );
    }
}
