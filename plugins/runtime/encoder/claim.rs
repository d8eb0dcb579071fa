//! Who drives which encoder: one at a time.

use std::sync::Mutex;

use gst::glib;
use gst::prelude::*;

use crate::runtime::lock::lock;

/// The encoders that are driven, by address. An entry ends with its claim.
static CLAIMED: Mutex<Vec<usize>> = Mutex::new(Vec::new());

/// The right to set one encoder's bit rate.
#[derive(Debug)]
pub(super) struct Claim(usize);

impl Claim {
    /// `None` where somebody else has it.
    pub(super) fn take(element: &gst::Element) -> Option<Self> {
        let object: &glib::Object = element.upcast_ref();
        let address = object.as_ptr() as usize;
        let mut claimed = lock(&CLAIMED);
        if claimed.contains(&address) {
            return None;
        }
        claimed.push(address);
        Some(Self(address))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        lock(&CLAIMED).retain(|address| *address != self.0);
    }
}
