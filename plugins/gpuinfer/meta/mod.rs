//! Objects on the frames: in every kind of meta that others read.

pub(super) mod roi;
