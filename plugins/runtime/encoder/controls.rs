//! Rates in a structure of controls, as the v4l2 encoders have them.

/// `controls` with `bps` in `field`; the user's other controls stay, and `peak` keeps its share.
pub(super) fn with_rate(
    controls: Option<gst::Structure>,
    field: &str,
    peak: &str,
    bps: u64,
) -> gst::Structure {
    let mut controls = controls.unwrap_or_else(|| gst::Structure::new_empty("controls"));
    let before = rate(&controls, field);
    if let Some(most) = rate(&controls, peak) {
        let share = before.map_or(1.0, |before| most as f64 / before as f64);
        let most = (bps as f64 * share.max(1.0)) as u64;
        controls.set(peak, as_control(most));
    }
    controls.set(field, as_control(bps));
    controls
}

/// The rate in `field`, where there is one.
pub(super) fn rate(controls: &gst::StructureRef, field: &str) -> Option<u64> {
    let bps = controls.get::<i32>(field).ok()?;
    u64::try_from(bps).ok().filter(|bps| *bps > 0)
}

/// V4L2's controls are signed.
fn as_control(bps: u64) -> i32 {
    i32::try_from(bps).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_other_controls_stay() {
        gst::init().expect("GStreamer starts");
        let users = gst::Structure::builder("c")
            .field("h264_profile", 4)
            .field("video_bitrate", 1_000_000)
            .field("video_bitrate_peak", 1_500_000)
            .build();
        let set = with_rate(
            Some(users),
            "video_bitrate",
            "video_bitrate_peak",
            2_000_000,
        );
        assert_eq!(set.get::<i32>("h264_profile"), Ok(4));
        assert_eq!(rate(&set, "video_bitrate"), Some(2_000_000));
        assert_eq!(rate(&set, "video_bitrate_peak"), Some(3_000_000));
        let alone = with_rate(None, "video_bitrate", "video_bitrate_peak", u64::MAX);
        assert_eq!(alone.get::<i32>("video_bitrate"), Ok(i32::MAX));
        assert_eq!(alone.n_fields(), 1);
    }
}
