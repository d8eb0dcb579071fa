//! Cameras, encoders and a machine in virtual time: what the governor sees, and what comes of what it does.

mod group;
mod machine;
mod random_load;
mod single;
