//! What is told of measured places, and how.

pub(super) mod model;
