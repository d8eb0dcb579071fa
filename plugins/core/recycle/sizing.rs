//! What to answer when upstream asks which pool to use.

use std::fmt;

/// Strides are aligned to at most this many bytes: the largest pitch that GPU copies ask for
/// (`D3D12_TEXTURE_DATA_PITCH_ALIGNMENT`). A stride aligned to a page would make a narrow picture many times its size.
const MAX_STRIDE_ALIGNMENT: u32 = 256;

/// What the user wants of the pools.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Config {
    /// Buffers to have at least; 0 = as many as downstream asks for.
    pub min_buffers: u32,
    /// Buffers to have at most; 0 = no limit.
    pub max_buffers: u32,
    /// Bytes that each buffer's address is a multiple of; 0 or 1 = any.
    pub alignment: u32,
}

/// Why a [`Config`] cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigError {
    /// The maximum is below the minimum.
    MaxBelowMin {
        /// The minimum.
        min: u32,
        /// The maximum.
        max: u32,
    },
    /// Memory can only be aligned to a power of two.
    AlignmentNotPowerOfTwo(u32),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::MaxBelowMin { min, max } => write!(
                f,
                "max-buffers {max} is below min-buffers {min}: raise max-buffers to at least {min}, set it to 0 for \
                 no limit, or lower min-buffers to {max}"
            ),
            Self::AlignmentNotPowerOfTwo(alignment) => write!(
                f,
                "alignment {alignment} is no power of two: use {} or {}, or 0 for none",
                prev_power_of_two(alignment),
                u64::from(alignment).next_power_of_two()
            ),
        }
    }
}

impl std::error::Error for ConfigError {}

const fn prev_power_of_two(n: u32) -> u32 {
    1 << n.ilog2()
}

/// The numbers of a pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of each buffer.
    pub size: u32,
    /// Buffers that the pool has from the start.
    pub min: u32,
    /// Buffers that the pool may have; 0 = no limit.
    pub max: u32,
}

/// What downstream answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Downstream {
    /// Nothing about pools.
    Nothing,
    /// Numbers, and no pool that has them.
    Advice(Limits),
    /// A plain pool: a pool of ours that is configured alike does all that it does.
    PlainPool(Limits),
    /// A pool of its own kind.
    Pool(Limits),
}

/// Upstream's question, as far as it decides the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Request {
    /// Upstream wants a pool, not only numbers.
    pub wants_pool: bool,
    /// Bytes of one frame where we could pool it (raw video in system memory).
    pub frame_size: Option<u32>,
    /// What downstream answered before us.
    pub downstream: Downstream,
}

/// What to do with downstream's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Offer a pool of our own with these numbers, in the place of downstream's first entry. Where that is a plain
    /// pool, ours is configured as that one is.
    OwnPool(Limits),
    /// Keep downstream's first entry, with these numbers.
    Raise(Limits),
    /// Hand downstream's answer on as it is.
    Leave,
}

/// Why the answer is what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Nobody asked yet.
    NotAsked,
    /// Downstream has no pool, so ours it is.
    NoPoolDownstream,
    /// As [`Reason::NoPoolDownstream`], and downstream holds more buffers at once than `max_buffers`: a pool that
    /// small would stop the stream for ever.
    MaxRaisedForDownstream,
    /// Downstream has a plain pool, which ours replaces so that its buffers are counted.
    PlainPoolDownstream,
    /// Downstream has a pool and it is large enough.
    PoolDownstream,
    /// Downstream's minimum was below ours.
    MinRaised,
    /// Downstream's maximum is below our minimum; it was raised as far as it goes.
    MinCappedByDownstream,
    /// Upstream brings its own memory.
    PoolNotWanted,
    /// Not raw video in system memory: nothing that we could pool.
    NotRawVideo,
}

impl Reason {
    /// For people.
    pub const fn text(self) -> &'static str {
        match self {
            Self::NotAsked => "upstream has not asked for a pool",
            Self::NoPoolDownstream => "downstream offers no pool",
            Self::MaxRaisedForDownstream => {
                "downstream offers no pool and holds more buffers than max-buffers, which was raised"
            }
            Self::PlainPoolDownstream => "downstream offers a plain pool, in whose place ours is",
            Self::PoolDownstream => "downstream offers a pool",
            Self::MinRaised => "downstream's minimum was raised to min-buffers",
            Self::MinCappedByDownstream => "downstream's maximum is below min-buffers",
            Self::PoolNotWanted => "upstream wants no pool",
            Self::NotRawVideo => "not raw video in system memory",
        }
    }
}

/// An answer and its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What to do.
    pub answer: Answer,
    /// Why.
    pub reason: Reason,
}

/// Decides the answers; made from a [`Config`] that can work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizing(Config);

impl Sizing {
    /// Checks `config`.
    pub fn new(config: Config) -> Result<Self, ConfigError> {
        let (min, max) = (config.min_buffers, config.max_buffers);
        if max != 0 && max < min {
            return Err(ConfigError::MaxBelowMin { min, max });
        }
        if config.alignment != 0 && !config.alignment.is_power_of_two() {
            return Err(ConfigError::AlignmentNotPowerOfTwo(config.alignment));
        }
        Ok(Self(config))
    }

    /// The bits of a buffer's address that must be zero.
    pub fn address_mask(&self) -> u32 {
        self.0.alignment.saturating_sub(1)
    }

    /// The bits of a plane's stride that must be zero.
    pub fn stride_mask(&self) -> u32 {
        self.0.alignment.min(MAX_STRIDE_ALIGNMENT).saturating_sub(1)
    }

    /// The answer to `request`.
    pub fn answer(&self, request: &Request) -> Decision {
        match (request.downstream, request.frame_size) {
            (Downstream::PlainPool(limits), Some(size)) if request.wants_pool => {
                self.replace(size, limits)
            }
            (Downstream::Pool(limits) | Downstream::PlainPool(limits), _) => self.raise(limits),
            (downstream, Some(size)) if request.wants_pool => {
                let advice = match downstream {
                    Downstream::Advice(limits) => limits,
                    _ => Limits::default(),
                };
                self.own(size, advice)
            }
            (Downstream::Advice(limits), None) => Decision {
                reason: Reason::NotRawVideo,
                ..self.raise(limits)
            },
            (_, frame_size) => Decision {
                answer: Answer::Leave,
                reason: if frame_size.is_some() {
                    Reason::PoolNotWanted
                } else {
                    Reason::NotRawVideo
                },
            },
        }
    }

    fn raise(&self, offered: Limits) -> Decision {
        let wanted = self.0.min_buffers;
        let reachable = if offered.max == 0 {
            wanted
        } else {
            wanted.min(offered.max)
        };
        let reason = match () {
            () if reachable < wanted => Reason::MinCappedByDownstream,
            () if offered.min < wanted => Reason::MinRaised,
            () => Reason::PoolDownstream,
        };
        let answer = if offered.min < reachable {
            Answer::Raise(Limits {
                min: reachable,
                ..offered
            })
        } else {
            Answer::Leave
        };
        Decision { answer, reason }
    }

    /// Our pool in the place of a plain one: its numbers, with the minimum raised. Its maximum stands, for downstream
    /// may count on it.
    fn replace(&self, frame_size: u32, offered: Limits) -> Decision {
        let raised = self.raise(offered);
        let limits = match raised.answer {
            Answer::Raise(limits) => limits,
            _ => offered,
        };
        Decision {
            answer: Answer::OwnPool(Limits {
                size: frame_size.max(limits.size),
                ..limits
            }),
            reason: if raised.reason == Reason::MinCappedByDownstream {
                raised.reason
            } else {
                Reason::PlainPoolDownstream
            },
        }
    }

    fn own(&self, frame_size: u32, advice: Limits) -> Decision {
        let min = self.0.min_buffers.max(advice.min);
        let limited = self.0.max_buffers != 0;
        let max = if limited {
            self.0.max_buffers.max(min)
        } else {
            0
        };
        let limits = Limits {
            size: frame_size.max(advice.size),
            min,
            max,
        };
        Decision {
            answer: Answer::OwnPool(limits),
            reason: if limited && max > self.0.max_buffers {
                Reason::MaxRaisedForDownstream
            } else {
                Reason::NoPoolDownstream
            },
        }
    }
}

#[cfg(test)]
mod tests;
