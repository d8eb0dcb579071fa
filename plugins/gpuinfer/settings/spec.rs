//! Specifications of properties, shortly written.

use gst::glib;
use gst::glib::prelude::*;
use gst::glib::translate::{FromGlib, IntoGlib};

/// Set before READY becomes PAUSED.
pub(super) const READY: glib::ParamFlags = gst::PARAM_FLAG_MUTABLE_READY;
/// Set at any time; counts from the next frame on.
pub(super) const PLAYING: glib::ParamFlags = gst::PARAM_FLAG_MUTABLE_PLAYING;

/// When it can be set, its nick and its blurb.
pub(super) type Words = (glib::ParamFlags, &'static str, &'static str);

const fn writable(when: glib::ParamFlags) -> glib::ParamFlags {
    glib::ParamFlags::READWRITE.union(when)
}

pub(super) fn text(
    (when, nick, blurb): Words,
) -> impl FnOnce(&str, Option<String>) -> glib::ParamSpec {
    move |name, default| {
        glib::ParamSpecString::builder(name)
            .nick(nick)
            .blurb(blurb)
            .default_value(default.as_deref())
            .flags(writable(when))
            .build()
    }
}

pub(super) fn flag((when, nick, blurb): Words) -> impl FnOnce(&str, bool) -> glib::ParamSpec {
    move |name, default| {
        glib::ParamSpecBoolean::builder(name)
            .nick(nick)
            .blurb(blurb)
            .default_value(default)
            .flags(writable(when))
            .build()
    }
}

pub(super) fn number(
    least: u32,
    most: u32,
    (when, nick, blurb): Words,
) -> impl FnOnce(&str, u32) -> glib::ParamSpec {
    move |name, default| {
        glib::ParamSpecUInt::builder(name)
            .nick(nick)
            .blurb(blurb)
            .minimum(least)
            .maximum(most)
            .default_value(default)
            .flags(writable(when))
            .build()
    }
}

pub(super) fn ratio((when, nick, blurb): Words) -> impl FnOnce(&str, f64) -> glib::ParamSpec {
    move |name, default| {
        glib::ParamSpecDouble::builder(name)
            .nick(nick)
            .blurb(blurb)
            .minimum(0.0)
            .maximum(1.0)
            .default_value(default)
            .flags(writable(when))
            .build()
    }
}

pub(super) fn choice<E>((when, nick, blurb): Words) -> impl FnOnce(&str, E) -> glib::ParamSpec
where
    E: StaticType + FromGlib<i32> + IntoGlib<GlibType = i32>,
{
    move |name, default| {
        glib::ParamSpecEnum::builder_with_default(name, default)
            .nick(nick)
            .blurb(blurb)
            .flags(writable(when))
            .build()
    }
}

/// A group of settings: a struct, its defaults, and its properties by name.
///
/// `field: type = default, "name", specification;`
macro_rules! group {
    (
        $(#[$doc:meta])*
        $group:ident {
            $($(#[$about:meta])* $field:ident: $type:ty = $default:expr, $name:literal, $spec:expr;)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub(in crate::gpuinfer) struct $group {
            $($(#[$about])* pub(in crate::gpuinfer) $field: $type,)*
        }

        impl $group {
            pub(in crate::gpuinfer) const DEFAULT: Self = Self { $($field: $default,)* };

            pub(super) fn specs() -> Vec<gst::glib::ParamSpec> {
                vec![$(($spec)($name, Self::DEFAULT.$field),)*]
            }

            /// The value of the property `name`, where it is of this group.
            pub(super) fn value(&self, name: &str) -> Option<gst::glib::Value> {
                match name {
                    $($name => Some(gst::glib::value::ToValue::to_value(&self.$field)),)*
                    _ => None,
                }
            }

            /// Takes `value` over as the property `name`, where it is of this group.
            pub(super) fn set(&mut self, name: &str, value: &gst::glib::Value) {
                match name {
                    $($name => if let Ok(value) = value.get::<$type>() {
                        self.$field = value;
                    },)*
                    _ => (),
                }
            }
        }
    };
}

pub(super) use group;
