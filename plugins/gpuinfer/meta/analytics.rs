//! Objects as `GstAnalyticsODMtd`, by libgstanalytics (GStreamer 1.24), which is opened where it is installed.

use std::error::Error;
use std::ffi::{c_float, c_int, c_uint, c_void};
use std::ptr;
use std::sync::OnceLock;

use gst::ffi::{GstBuffer, GstClockTime};
use gst::glib;
use gst::glib::ffi::{GFALSE, GQuark, gboolean};
use gst::glib::translate::{FromGlib, IntoGlib};
use libloading::{Library, Symbol};

use super::tensors::Tensors;
use crate::gpuinfer::objects::{Object, What};
use crate::gpuinfer::presenter::About;

const LIBRARY: &str = "libgstanalytics-1.0.so.0";
/// `GstAnalyticsRelTypes`.
const IS_PART_OF: c_uint = 1 << 1;
const CONTAIN: c_uint = 1 << 2;
const RELATE_TO: c_uint = 1 << 3;

/// `GstAnalyticsRelationMeta`, which only the library looks into.
type Relations = c_void;

/// `GstAnalyticsMtd`: an entry of a relation meta.
#[repr(C)]
#[derive(Clone, Copy, Debug)]
struct Entry {
    id: c_uint,
    meta: *mut Relations,
}

impl Entry {
    const NONE: Self = Self {
        id: 0,
        meta: ptr::null_mut(),
    };
}

/// Where an object is, as others said it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::gpuinfer) struct Seen {
    pub(in crate::gpuinfer) id: i32,
    pub(in crate::gpuinfer) label: Option<glib::Quark>,
    pub(in crate::gpuinfer) track: Option<u64>,
    /// Left, top, width and height in pixels of the frame.
    pub(in crate::gpuinfer) rect: (i32, i32, i32, i32),
}

/// The functions of the library that are used here, with its C names less `gst_` and `analytics_`.
#[derive(Debug)]
pub(in crate::gpuinfer) struct Analytics {
    buffer_get_relation_meta: unsafe extern "C" fn(*mut GstBuffer) -> *mut Relations,
    buffer_add_relation_meta: unsafe extern "C" fn(*mut GstBuffer) -> *mut Relations,
    add_od_mtd: AddObject,
    add_tracking_mtd:
        unsafe extern "C" fn(*mut Relations, u64, GstClockTime, *mut Entry) -> gboolean,
    add_one_cls_mtd: unsafe extern "C" fn(*mut Relations, c_float, GQuark, *mut Entry) -> gboolean,
    set_relation: unsafe extern "C" fn(*mut Relations, c_uint, c_uint, c_uint) -> gboolean,
    iterate: unsafe extern "C" fn(*mut Relations, *mut *mut c_void, usize, *mut Entry) -> gboolean,
    get_direct_related: GetRelated,
    od_type: unsafe extern "C" fn() -> usize,
    od_location: GetLocation,
    od_label: unsafe extern "C" fn(*const Entry) -> GQuark,
    tracking_type: unsafe extern "C" fn() -> usize,
    tracking_info: GetTrack,
    /// Since GStreamer 1.26.
    tensors: Option<Tensors>,
}

type AddObject = unsafe extern "C" fn(
    *mut Relations,
    GQuark,
    c_int,
    c_int,
    c_int,
    c_int,
    c_float,
    *mut Entry,
) -> gboolean;
type GetRelated = unsafe extern "C" fn(
    *mut Relations,
    c_uint,
    c_uint,
    usize,
    *mut *mut c_void,
    *mut Entry,
) -> gboolean;
type GetLocation = unsafe extern "C" fn(
    *const Entry,
    *mut c_int,
    *mut c_int,
    *mut c_int,
    *mut c_int,
    *mut c_float,
) -> gboolean;
type GetTrack = unsafe extern "C" fn(
    *const Entry,
    *mut u64,
    *mut GstClockTime,
    *mut GstClockTime,
    *mut gboolean,
) -> gboolean;

impl Analytics {
    /// The library, or why there is none. It is opened once and stays.
    pub(in crate::gpuinfer) fn get() -> Result<&'static Self, &'static str> {
        static LOADED: OnceLock<Result<Analytics, String>> = OnceLock::new();
        let loaded = LOADED.get_or_init(|| {
            // The linker's own words are in the source.
            Self::load().map_err(|error| match error.source() {
                Some(source) => format!("{error}: {source}"),
                None => error.to_string(),
            })
        });
        loaded.as_ref().map_err(String::as_str)
    }

    fn load() -> Result<Self, libloading::Error> {
        // SAFETY: GStreamer's own library, which does nothing when it is opened.
        let library = unsafe { Library::new(LIBRARY) }?;
        // Types that it registers stay known to GLib: it must never be closed.
        let library = Box::leak(Box::new(library));
        // SAFETY: the types are those of the library's headers, and unchanged since 1.24.
        unsafe {
            Ok(Self {
                buffer_get_relation_meta: *symbol(
                    library,
                    "gst_buffer_get_analytics_relation_meta",
                )?,
                buffer_add_relation_meta: *symbol(
                    library,
                    "gst_buffer_add_analytics_relation_meta",
                )?,
                add_od_mtd: *symbol(library, "gst_analytics_relation_meta_add_od_mtd")?,
                add_tracking_mtd: *symbol(library, "gst_analytics_relation_meta_add_tracking_mtd")?,
                add_one_cls_mtd: *symbol(library, "gst_analytics_relation_meta_add_one_cls_mtd")?,
                set_relation: *symbol(library, "gst_analytics_relation_meta_set_relation")?,
                iterate: *symbol(library, "gst_analytics_relation_meta_iterate")?,
                get_direct_related: *symbol(
                    library,
                    "gst_analytics_relation_meta_get_direct_related",
                )?,
                od_type: *symbol(library, "gst_analytics_od_mtd_get_mtd_type")?,
                od_location: *symbol(library, "gst_analytics_od_mtd_get_location")?,
                od_label: *symbol(library, "gst_analytics_od_mtd_get_obj_type")?,
                tracking_type: *symbol(library, "gst_analytics_tracking_mtd_get_mtd_type")?,
                tracking_info: *symbol(library, "gst_analytics_tracking_mtd_get_info")?,
                tensors: Tensors::of(library),
            })
        }
    }

    /// Attaches `objects` to `buffer`. They get the ids that the library gives, as in DL Streamer.
    pub(super) fn attach(
        &self,
        buffer: &mut gst::BufferRef,
        objects: &mut [Object],
        about: &About<'_>,
    ) {
        // A decoder behind would take those of an earlier frame for this one's.
        if let Some(tensors) = self.tensors.as_ref().filter(|_| about.inferred) {
            tensors.attach(buffer, about.tensors);
        }
        // SAFETY: the reference says that the buffer is writable.
        let meta = unsafe { self.relations_to_write(buffer.as_mut_ptr()) };
        if meta.is_null() {
            return;
        }
        for object in objects {
            let label = glib::Quark::from_str(about.labels.name(object.class));
            // SAFETY: the meta is the writable buffer's own.
            if let Some(id) = unsafe { self.add(meta, object, label, about.pts) } {
                object.id = id as i32;
            }
        }
    }

    /// Tells `on_seen` the objects of `buffer`.
    pub(in crate::gpuinfer) fn read(&self, buffer: &gst::BufferRef, mut on_seen: impl FnMut(Seen)) {
        // SAFETY: the buffer is valid, and reading its meta changes nothing; the library ends the list.
        unsafe {
            let meta = (self.buffer_get_relation_meta)(buffer.as_mut_ptr());
            if meta.is_null() {
                return;
            }
            let (mut state, mut entry) = (ptr::null_mut(), Entry::NONE);
            let kind = (self.od_type)();
            while (self.iterate)(meta, &mut state, kind, &mut entry) != GFALSE {
                if let Some(seen) = self.seen(&entry) {
                    on_seen(seen);
                }
            }
        }
    }

    /// # Safety
    /// `entry` is an object that the library knows.
    unsafe fn seen(&self, entry: &Entry) -> Option<Seen> {
        let (mut x, mut y, mut width, mut height, mut sure) = (0, 0, 0, 0, 0.0);
        // SAFETY: as the caller's; the library fills the numbers.
        unsafe {
            let known =
                (self.od_location)(entry, &mut x, &mut y, &mut width, &mut height, &mut sure);
            (known != GFALSE).then(|| Seen {
                id: entry.id as i32,
                label: match (self.od_label)(entry) {
                    0 => None,
                    label => Some(glib::Quark::from_glib(label)),
                },
                track: self.track(entry),
                rect: (x, y, width, height),
            })
        }
    }

    /// # Safety
    /// `entry` is an object that the library knows.
    unsafe fn track(&self, entry: &Entry) -> Option<u64> {
        let (mut state, mut tracking) = (ptr::null_mut(), Entry::NONE);
        let (mut id, mut first, mut last, mut lost) = (0, 0, 0, GFALSE);
        // SAFETY: as the caller's; the library fills the entry and the numbers.
        unsafe {
            let kind = (self.tracking_type)();
            let meta = entry.meta;
            let found = (self.get_direct_related)(
                meta,
                entry.id,
                RELATE_TO,
                kind,
                &mut state,
                &mut tracking,
            );
            let told = found != GFALSE
                && (self.tracking_info)(&tracking, &mut id, &mut first, &mut last, &mut lost)
                    != GFALSE;
            told.then_some(id)
        }
    }

    /// # Safety
    /// `buffer` is valid and writable.
    unsafe fn relations_to_write(&self, buffer: *mut GstBuffer) -> *mut Relations {
        // SAFETY: as the caller's.
        unsafe {
            let there = (self.buffer_get_relation_meta)(buffer);
            if there.is_null() {
                (self.buffer_add_relation_meta)(buffer)
            } else {
                there
            }
        }
    }

    /// # Safety
    /// `meta` is that of a writable buffer.
    unsafe fn add(
        &self,
        meta: *mut Relations,
        object: &Object,
        label: glib::Quark,
        pts: Option<gst::ClockTime>,
    ) -> Option<c_uint> {
        let (x, y, width, height) = object.rect;
        let [x, y, width, height] = [x, y, width, height].map(|pixels| pixels as c_int);
        let (label, sure) = (label.into_glib(), object.confidence);
        let parent = object.parent.and_then(|id| c_uint::try_from(id).ok());
        let mut entry = Entry::NONE;
        // SAFETY: as the caller's; the library fills the entries, and relates only ids that it knows.
        unsafe {
            if object.what == What::Classified {
                let added = (self.add_one_cls_mtd)(meta, sure, label, &mut entry);
                let parent = parent.filter(|_| added != GFALSE)?;
                (self.set_relation)(meta, RELATE_TO, parent, entry.id);
                return Some(entry.id);
            }
            if (self.add_od_mtd)(meta, label, x, y, width, height, sure, &mut entry) == GFALSE {
                return None;
            }
            if let Some(track) = object.track {
                let mut tracking = Entry::NONE;
                let since = pts.map_or(gst::ffi::GST_CLOCK_TIME_NONE, gst::ClockTime::nseconds);
                if (self.add_tracking_mtd)(meta, track, since, &mut tracking) != GFALSE {
                    (self.set_relation)(meta, RELATE_TO, entry.id, tracking.id);
                }
            }
            if let Some(parent) = parent {
                (self.set_relation)(meta, IS_PART_OF, entry.id, parent);
                (self.set_relation)(meta, CONTAIN, parent, entry.id);
            }
        }
        Some(entry.id)
    }
}

/// # Safety
/// `T` is the type of the function `name`.
pub(super) unsafe fn symbol<'a, T>(
    library: &'a Library,
    name: &str,
) -> Result<Symbol<'a, T>, libloading::Error> {
    // SAFETY: as the caller's.
    unsafe { library.get(name.as_bytes()) }
}
