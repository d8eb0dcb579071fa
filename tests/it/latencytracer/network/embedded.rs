//! Inside the video.
