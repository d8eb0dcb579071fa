//! What to answer when upstream asks which pool to use.

use std::fmt;

/// Strides are aligned to at most this many bytes: the largest pitch that GPU copies ask for
/// (`D3D12_TEXTURE_DATA_PITCH_ALIGNMENT`). A stride aligned to a page would make a narrow picture many times its size.
const MAX_STRIDE_ALIGNMENT: u32 = 256;

/// What the user wants of the pools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Buffers to have at least; 0 = as many as downstream asks for.
    pub min_buffers: u32,
    /// Buffers to have at most; 0 = no limit.
    pub max_buffers: u32,
    /// Buffers to have beyond what downstream and `min_buffers` ask for, as far as the maximum goes.
    pub extra_buffers: u32,
    /// Bytes that each buffer's address is a multiple of; 0 or 1 = any.
    pub alignment: u32,
    /// Bytes of a buffer where the caps do not tell; 0 = then nothing is said.
    pub buffer_size: u32,
    /// A pool of our own may be offered.
    pub offers_pool: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            min_buffers: 0,
            max_buffers: 0,
            extra_buffers: 0,
            alignment: 0,
            buffer_size: 0,
            offers_pool: true,
        }
    }
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
    /// Bytes that no frame takes more of, where we could not pool it (such as frames on a device, or JPEG of a
    /// camera).
    pub largest_size: Option<u32>,
    /// What downstream answered before us.
    pub downstream: Downstream,
}

/// What to do with downstream's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Offer a pool of our own with these numbers, in the place of downstream's first entry. Where that is a plain
    /// pool, ours is configured as that one is.
    OwnPool(Limits),
    /// Keep downstream's first entry, with these numbers; where it has none, this is advice without a pool.
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
    /// We are to offer no pool.
    PoolNotProposed,
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
            Self::MinRaised => {
                "downstream's minimum was raised to min-buffers and by extra-buffers"
            }
            Self::MinCappedByDownstream => {
                "downstream's maximum is below min-buffers with extra-buffers"
            }
            Self::PoolNotWanted => "upstream wants no pool",
            Self::NotRawVideo => "not raw video in system memory",
            Self::PoolNotProposed => "propose says to offer no pool",
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
        let offers = request.wants_pool && self.0.offers_pool;
        match (request.downstream, request.frame_size) {
            (Downstream::PlainPool(limits), Some(size)) if offers => self.replace(size, limits),
            (Downstream::Pool(limits) | Downstream::PlainPool(limits), _) => self.raise(limits),
            (downstream, Some(size)) if offers => self.own(size, downstream.advice()),
            (downstream, Some(size)) if request.wants_pool => {
                self.advise(size, downstream, Reason::PoolNotProposed)
            }
            (_, Some(_)) => Decision {
                answer: Answer::Leave,
                reason: Reason::PoolNotWanted,
            },
            (downstream, None) => {
                let size = match self.0.buffer_size {
                    0 => request.largest_size.unwrap_or(0),
                    size => size,
                };
                self.advise(size, downstream, Reason::NotRawVideo)
            }
        }
    }

    /// Numbers without a pool: those of downstream with the minimum raised. Without a size there is nothing to say: a
    /// pool that upstream makes of that would hold empty buffers.
    fn advise(&self, size: u32, downstream: Downstream, reason: Reason) -> Decision {
        let advice = downstream.advice();
        let size = size.max(advice.size);
        let answer = match self.raise(Limits { size, ..advice }).answer {
            Answer::Raise(limits) if size > 0 || downstream != Downstream::Nothing => {
                Answer::Raise(limits)
            }
            _ => Answer::Leave,
        };
        Decision { answer, reason }
    }

    /// The minimum that is wanted where downstream asks for `asked` buffers and `max` are allowed (0 = any number).
    fn minimum(&self, asked: u32, max: u32) -> u32 {
        let wanted = self.0.min_buffers.max(asked);
        let wanted = wanted.saturating_add(self.0.extra_buffers);
        if max == 0 { wanted } else { wanted.min(max) }
    }

    fn raise(&self, offered: Limits) -> Decision {
        let wanted = self.minimum(offered.min, 0);
        let reachable = self.minimum(offered.min, offered.max);
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

    /// Our pool where downstream has none. Extra buffers never raise the maximum; what downstream holds does.
    fn own(&self, frame_size: u32, advice: Limits) -> Decision {
        let needed = self.0.min_buffers.max(advice.min);
        let limited = self.0.max_buffers != 0;
        let max = if limited {
            self.0.max_buffers.max(needed)
        } else {
            0
        };
        let limits = Limits {
            size: frame_size.max(advice.size),
            min: self.minimum(advice.min, max),
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

impl Downstream {
    /// The numbers without a pool, where there are any.
    fn advice(self) -> Limits {
        match self {
            Self::Advice(limits) => limits,
            _ => Limits::default(),
        }
    }
}

#[cfg(test)]
mod tests;
