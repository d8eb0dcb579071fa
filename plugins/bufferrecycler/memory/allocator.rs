//! GStreamer's side: memory objects around blocks.
//!
//! To everybody else this is system memory: the same type name, which some decoders ask for, always mapped, copied and
//! shared as GStreamer's own is.

use std::ptr::{self, NonNull};
use std::sync::OnceLock;

use gst::ffi::{GstAllocator, GstMapFlags, GstMemory};
use gst::glib;
use gst::glib::translate::{IntoGlib, ToGlibPtr};
use gst::prelude::*;
use gst::subclass::prelude::*;
use livetune_core::recycle::SizeClass;

use super::block::Block;
use super::{DEPOTS, WISHES, keeper};
use crate::runtime::guard::guard;

/// `GST_ALLOCATOR_SYSMEM`, which the binding leaves out.
const SYSTEM_MEMORY: &glib::GStr = glib::gstr!("SystemMemory");

#[derive(Debug, Default)]
pub struct RecyclingAllocator;

/// A memory object. GStreamer knows the first field only.
#[repr(C)]
struct Memory {
    object: GstMemory,
    /// Where the block begins, in parts of a memory too.
    start: NonNull<u8>,
    /// The block, or `None` in a part of a memory: the whole is its parent and ends after it.
    block: Option<Block>,
}

/// What GStreamer keeps of a memory object.
struct Extent {
    flags: gst::ffi::GstMemoryFlags,
    parent: *mut GstMemory,
    maxsize: usize,
    align: usize,
    offset: usize,
    size: usize,
}

impl Memory {
    fn into_raw(self, allocator: *mut GstAllocator, extent: &Extent) -> *mut GstMemory {
        let memory: *mut GstMemory = Box::into_raw(Box::new(self)).cast();
        // SAFETY: the object is the first field of what was just made; the parent, if any, is alive.
        unsafe {
            gst::ffi::gst_memory_init(
                memory,
                extent.flags,
                allocator,
                extent.parent,
                extent.maxsize,
                extent.align,
                extent.offset,
                extent.size,
            );
        }
        memory
    }

    /// # Safety
    /// `memory` was made by `into_raw` and is alive.
    unsafe fn start_of(memory: *const GstMemory) -> *mut u8 {
        // SAFETY: as the caller's.
        unsafe { (*memory.cast::<Self>()).start.as_ptr() }
    }

    const fn blank() -> GstMemory {
        // SAFETY: a C structure of numbers and pointers, which `gst_memory_init` fills in.
        unsafe { std::mem::zeroed() }
    }
}

/// GStreamer's own allocator, for what is not worth a block.
fn system() -> Option<&'static gst::Allocator> {
    static SYSTEM: OnceLock<Option<gst::Allocator>> = OnceLock::new();
    let system = SYSTEM.get_or_init(|| gst::Allocator::find(Some(SYSTEM_MEMORY)));
    system.as_ref()
}

impl RecyclingAllocator {
    fn allocate(&self, size: usize, params: &gst::AllocationParams) -> Option<*mut GstMemory> {
        let whole = size
            .checked_add(params.prefix())?
            .checked_add(params.padding())?;
        if (whole as u64) < WISHES.min_size() {
            DEPOTS.on_plain();
            return plain(size, params);
        }
        let class = SizeClass::holding(whole as u64)?;
        let limits = WISHES.in_force();
        let align = params.align() | gst::Memory::default_alignment();
        let block = DEPOTS.lend(class, align.checked_add(1)?, &limits)?;
        let start = block.start();
        clear(start, size, params);
        let memory = Memory {
            object: Memory::blank(),
            start,
            block: Some(block),
        };
        let extent = Extent {
            flags: params.flags().into_glib(),
            parent: ptr::null_mut(),
            maxsize: whole,
            align,
            offset: params.prefix(),
            size,
        };
        Some(memory.into_raw(self.obj().upcast_ref::<gst::Allocator>().as_ptr(), &extent))
    }
}

/// Memory of the system's allocator.
fn plain(size: usize, params: &gst::AllocationParams) -> Option<*mut GstMemory> {
    let system: *mut GstAllocator = system()?.as_ptr();
    let params: *const gst::ffi::GstAllocationParams = params.to_glib_none().0;
    // SAFETY: both are alive, and the function changes neither.
    let memory = unsafe { gst::ffi::gst_allocator_alloc(system, size, params.cast_mut()) };
    (!memory.is_null()).then_some(memory)
}

/// Zeroes what has to be zero of a block from `start`: what lay in it before is still there.
fn clear(start: NonNull<u8>, size: usize, params: &gst::AllocationParams) {
    let (prefix, padding) = (params.prefix(), params.padding());
    let flags = params.flags();
    // SAFETY: the block holds prefix, size and padding.
    unsafe {
        if flags.contains(gst::MemoryFlags::ZERO_PREFIXED) {
            start.write_bytes(0, prefix);
        }
        if flags.contains(gst::MemoryFlags::ZERO_PADDED) {
            start.add(prefix + size).write_bytes(0, padding);
        }
    }
}

unsafe extern "C" fn map(
    memory: *mut GstMemory,
    _maxsize: usize,
    _flags: GstMapFlags,
) -> glib::ffi::gpointer {
    // SAFETY: GStreamer calls this with memory of this allocator.
    unsafe { Memory::start_of(memory).cast() }
}

unsafe extern "C" fn unmap(_memory: *mut GstMemory) {}

/// `size` bytes from `offset` within `memory`; -1: all from there. New memory of its own.
unsafe extern "C" fn copy(memory: *mut GstMemory, offset: isize, size: isize) -> *mut GstMemory {
    guard("a copy of memory", ptr::null_mut(), || {
        // SAFETY: GStreamer calls this with memory of this allocator, and a range within it.
        unsafe {
            let object = &*memory;
            let size = match size {
                -1 => object.size.saturating_sub(offset as usize),
                size => size as usize,
            };
            let from = Memory::start_of(memory).add(object.offset.wrapping_add_signed(offset));
            let mut params: gst::ffi::GstAllocationParams = std::mem::zeroed();
            params.align = object.align;
            let copy = gst::ffi::gst_allocator_alloc(object.allocator, size, &raw mut params);
            if copy.is_null() {
                return copy;
            }
            let mut info: gst::ffi::GstMapInfo = std::mem::zeroed();
            let flags = gst::ffi::GST_MAP_WRITE;
            if gst::ffi::gst_memory_map(copy, &raw mut info, flags) == glib::ffi::GFALSE {
                gst::ffi::gst_mini_object_unref(copy.cast());
                return ptr::null_mut();
            }
            ptr::copy_nonoverlapping(from, info.data, size);
            gst::ffi::gst_memory_unmap(copy, &raw mut info);
            copy
        }
    })
}

/// The same bytes as another, read-only memory, whose parent is the whole.
unsafe extern "C" fn share(memory: *mut GstMemory, offset: isize, size: isize) -> *mut GstMemory {
    guard("a part of memory", ptr::null_mut(), || {
        // SAFETY: GStreamer calls this with memory of this allocator, and a range within it.
        unsafe {
            let object = &*memory;
            let parent = if object.parent.is_null() {
                memory
            } else {
                object.parent
            };
            let size = match size {
                -1 => object.size.saturating_sub(offset as usize),
                size => size as usize,
            };
            let part = Memory {
                object: Memory::blank(),
                start: (*memory.cast::<Memory>()).start,
                block: None,
            };
            let extent = Extent {
                flags: (*parent).mini_object.flags | gst::ffi::GST_MINI_OBJECT_FLAG_LOCK_READONLY,
                parent,
                maxsize: object.maxsize,
                align: object.align,
                offset: object.offset.wrapping_add_signed(offset),
                size,
            };
            part.into_raw(object.allocator, &extent)
        }
    })
}

/// Whether `second` begins where `first` ends, both parts of the same whole; `offset` becomes where `first` begins in it.
unsafe extern "C" fn is_span(
    first: *mut GstMemory,
    second: *mut GstMemory,
    offset: *mut usize,
) -> glib::ffi::gboolean {
    // SAFETY: GStreamer calls this with memory of this allocator that has the same parent.
    unsafe {
        let (one, two) = (&*first, &*second);
        if !offset.is_null() {
            *offset = one.offset.wrapping_sub((*one.parent).offset);
        }
        (one.offset.wrapping_add(one.size) == two.offset).into_glib()
    }
}

#[glib::object_subclass]
impl ObjectSubclass for RecyclingAllocator {
    const NAME: &'static str = "GstLiveTuneRecyclingAllocator";
    type Type = super::RecyclingAllocator;
    type ParentType = gst::Allocator;

    fn instance_init(object: &glib::subclass::InitializingObject<Self>) {
        let allocator: *mut GstAllocator = object.as_ptr().cast();
        // SAFETY: the instance is a GstAllocator, and nobody else has it yet. The name ends with a zero and is static.
        unsafe {
            (*allocator).mem_type = SYSTEM_MEMORY.as_ptr();
            (*allocator).mem_map = Some(map);
            (*allocator).mem_unmap = Some(unmap);
            (*allocator).mem_copy = Some(copy);
            (*allocator).mem_share = Some(share);
            (*allocator).mem_is_span = Some(is_span);
        }
    }
}

impl ObjectImpl for RecyclingAllocator {}

impl GstObjectImpl for RecyclingAllocator {}

// SAFETY: what `alloc` answers was initialised by `gst_memory_init`, and `free` takes back the same.
unsafe impl AllocatorImpl for RecyclingAllocator {
    unsafe fn alloc(&self, size: usize, params: &gst::AllocationParams) -> *mut GstMemory {
        let none = ptr::null_mut();
        guard("an allocation", none, || {
            self.allocate(size, params).unwrap_or(none)
        })
    }

    unsafe fn free(&self, memory: *mut GstMemory) {
        guard("the end of memory", (), || {
            // SAFETY: `into_raw` made it, and this is the last that is heard of it.
            let memory = unsafe { Box::from_raw(memory.cast::<Memory>()) };
            if let Some(block) = memory.block {
                DEPOTS.take_back(block, &WISHES.in_force());
                keeper::call();
            }
        });
    }
}
