//! What would help in this pipeline, from what was counted; also that nothing would.

use std::fmt;

/// A page of memory on x86-64 and most AArch64.
const PAGE: u64 = 4096;
/// Faults per buffer, as a part of its pages, from which its memory is taken to be new every time. Half: the rest of the
/// process faults too, but never that much.
const NEW_MEMORY: f64 = 0.5;
/// Part of the buffers that counts as most of them.
const MOST: f64 = 0.9;
/// Buffers after which counts say something; the first ones are always new.
const ENOUGH: u64 = 20;

/// What was counted while frames passed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sight {
    /// Buffers that passed.
    pub buffers: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How many lay in memory of our pools.
    pub recycled: u64,
    /// How many came from a pool of upstream.
    pub upstream_pooled: u64,
    /// How many lay in memory of a device.
    pub device: u64,
    /// Page faults of the process meanwhile.
    pub page_faults: u64,
    /// Times that upstream waited in vain because our pool was at its maximum.
    pub timeouts: u64,
    /// Times that upstream's own pool ran low.
    pub low: u64,
    /// Frames copied out of upstream's pool.
    pub copies: u64,
    /// The recycling allocator is the default of the process.
    pub process_allocator: bool,
    /// Bytes from which that one recycles.
    pub recycled_from: u64,
}

/// What would help.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Advice {
    /// Too few frames passed.
    NotYet,
    /// The frames lie on a device.
    Device,
    /// Upstream waits for our pool in vain.
    RaiseMaximum {
        /// How often.
        timeouts: u64,
    },
    /// Upstream's own pool runs low.
    AskForMore {
        /// How often.
        low: u64,
        /// How many frames were copied out meanwhile.
        copies: u64,
    },
    /// Our pool recycles.
    Recycling,
    /// Upstream has pools.
    UpstreamPools,
    /// Upstream's memory is new for every frame.
    NewMemory {
        /// Page faults for each frame.
        faults: f64,
    },
    /// Upstream's buffers are too small to be worth it.
    TooSmall {
        /// Bytes of each.
        bytes: u64,
        /// Bytes from which memory is recycled.
        recycled_from: u64,
    },
    /// Upstream allocates each frame and gets memory that was used before.
    AllocatorRecycles,
    /// The allocator of the process recycles already.
    ProcessAllocator,
}

impl Sight {
    /// What would help.
    pub fn advice(&self) -> Advice {
        let most = |n: u64| n as f64 >= self.buffers as f64 * MOST;
        let faults = self.page_faults as f64 / self.buffers.max(1) as f64;
        let bytes = self.bytes / self.buffers.max(1);
        let pages = bytes as f64 / PAGE as f64;
        // The process faults for other reasons too: small buffers have no part in it that could be saved.
        let small = bytes < self.recycled_from;
        match () {
            () if self.buffers < ENOUGH => Advice::NotYet,
            () if most(self.device) => Advice::Device,
            () if self.timeouts > 0 => Advice::RaiseMaximum {
                timeouts: self.timeouts,
            },
            () if self.low > 0 => Advice::AskForMore {
                low: self.low,
                copies: self.copies,
            },
            () if most(self.recycled) => Advice::Recycling,
            () if faults > pages * NEW_MEMORY && !small && !self.process_allocator => {
                Advice::NewMemory { faults }
            }
            () if most(self.upstream_pooled + self.recycled) => Advice::UpstreamPools,
            () if small => Advice::TooSmall {
                bytes,
                recycled_from: self.recycled_from,
            },
            () if self.process_allocator => Advice::ProcessAllocator,
            () => Advice::AllocatorRecycles,
        }
    }
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::NotYet => f.write_str("too few frames have passed to say anything"),
            Self::Device => f.write_str(
                "frames lie in memory of a device, which this element passes untouched: nothing to gain here",
            ),
            Self::RaiseMaximum { timeouts } => write!(
                f,
                "upstream waited for our pool in vain {timeouts} times: raise max-buffers, or look for what holds so many buffers \
                 downstream"
            ),
            Self::AskForMore { low, copies: 0 } => write!(
                f,
                "upstream's own buffers ran low {low} times: set extra-buffers to what the queues behind hold, or \
                 copy-out=when-low"
            ),
            Self::AskForMore { low, copies } => write!(
                f,
                "upstream's own buffers ran low {low} times and {copies} frames were copied for that: extra-buffers \
                 would save the copies where upstream can allocate more"
            ),
            Self::Recycling => f.write_str(
                "upstream uses our pool; against a pool of its own that gains only what survives caps changes and \
                 stalls",
            ),
            Self::UpstreamPools => f.write_str("upstream pools already: nothing to gain here"),
            Self::NewMemory { faults } => write!(
                f,
                "the process takes new memory for its frames ({faults:.0} page faults for each): \
                 process-allocator=true would help"
            ),
            Self::TooSmall {
                bytes,
                recycled_from,
            } => write!(
                f,
                "buffers of {bytes} bytes are too small to be recycled, which begins at {recycled_from} (min-size): \
                 nothing to gain here"
            ),
            Self::AllocatorRecycles => f.write_str(
                "upstream allocates each frame, and gets memory that was used before without a page fault: nothing to \
                 gain here",
            ),
            Self::ProcessAllocator => f.write_str(
                "the recycling allocator serves the process; compare page-faults without process-allocator",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Frames of 3 MB, 760 pages each.
    const PASSED: Sight = Sight {
        buffers: 1_000,
        bytes: 3_110_400_000,
        recycled: 0,
        upstream_pooled: 0,
        device: 0,
        page_faults: 0,
        timeouts: 0,
        low: 0,
        copies: 0,
        process_allocator: false,
        recycled_from: 65_536,
    };

    #[test]
    fn where_upstream_pools_nothing_is_promised() {
        let sight = Sight {
            upstream_pooled: 1_000,
            page_faults: 3_000,
            ..PASSED
        };
        assert_eq!(sight.advice(), Advice::UpstreamPools);
        assert!(
            sight
                .advice()
                .to_string()
                .contains("upstream pools already: nothing to gain here")
        );
    }

    #[test]
    fn page_faults_on_every_frame_call_for_the_process_allocator() {
        let sight = Sight {
            page_faults: 760_000,
            ..PASSED
        };
        let text = sight.advice().to_string();
        assert!(
            text.contains("760 page faults") && text.contains("process-allocator=true"),
            "{text}"
        );
        let served = Sight {
            process_allocator: true,
            ..sight
        };
        assert_eq!(served.advice(), Advice::ProcessAllocator);
        // The copies behind a tee fault although upstream pools.
        let behind_a_tee = Sight {
            upstream_pooled: 1_000,
            ..sight
        };
        assert!(matches!(behind_a_tee.advice(), Advice::NewMemory { .. }));
    }

    #[test]
    fn small_buffers_are_never_promised_what_only_large_ones_can_have() {
        let small = Sight {
            bytes: 1_000 * 3_072,
            page_faults: 12_000,
            ..PASSED
        };
        let text = small.advice().to_string();
        assert!(
            text.contains("3072") && text.contains("65536") && text.contains("nothing to gain"),
            "{text}"
        );
        let pooled = Sight {
            upstream_pooled: 1_000,
            ..small
        };
        assert_eq!(pooled.advice(), Advice::UpstreamPools);
    }

    #[test]
    fn an_allocator_that_recycles_by_itself_needs_no_help() {
        assert_eq!(PASSED.advice(), Advice::AllocatorRecycles);
        let recycled = Sight {
            recycled: 1_000,
            ..PASSED
        };
        assert_eq!(recycled.advice(), Advice::Recycling);
    }

    #[test]
    fn what_runs_dry_comes_first() {
        let waited = Sight {
            timeouts: 3,
            recycled: 1_000,
            ..PASSED
        };
        assert_eq!(waited.advice(), Advice::RaiseMaximum { timeouts: 3 });
        let low = |copies| Sight {
            low: 2,
            copies,
            upstream_pooled: 1_000,
            ..PASSED
        };
        let uncured = low(0).advice().to_string();
        assert!(uncured.contains("copy-out=when-low"), "{uncured}");
        let cured = low(9).advice().to_string();
        assert!(cured.contains("9 frames were copied"), "{cured}");
    }

    #[test]
    fn few_frames_and_frames_of_a_device_say_nothing() {
        let few = Sight {
            buffers: 19,
            page_faults: 1_000_000,
            ..PASSED
        };
        assert_eq!(few.advice(), Advice::NotYet);
        let device = Sight {
            device: 1_000,
            ..PASSED
        };
        assert_eq!(device.advice(), Advice::Device);
    }
}
