//! Which clock tells the time that machines agree on.

use gst::glib;
use gst::prelude::*;

use crate::runtime::clock;

/// From the epoch of NTP (1900, RFC 5905) to that of PTP (1970, IEEE 1588).
const NTP_TO_PTP: gst::ClockTime = gst::ClockTime::from_seconds(2_208_988_800);

/// PTP counts in TAI, which has been this much ahead of UTC since 2017 (IERS Bulletin C 52); NTP counts in UTC.
const TAI_TO_UTC: gst::ClockTime = gst::ClockTime::from_seconds(37);

/// Tells the time since 1900.
#[derive(Clone, Debug, Default)]
pub(super) enum Wall {
    /// The system's clock.
    #[default]
    System,
    /// The pipeline's clock, a GstNtpClock: it counts from 1900.
    Ntp(gst::Clock),
    /// The pipeline's clock, a GstPtpClock: it counts from 1970, leap seconds included.
    Ptp(gst::Clock),
}

impl Wall {
    /// The pipeline's `clock` where other machines may follow the same one, else the system's.
    pub(super) fn of(clock: Option<&gst::Clock>) -> Self {
        let Some(clock) = clock else {
            return Self::System;
        };
        let mut kind = Some(clock.type_());
        while let Some(ancestor) = kind {
            match ancestor.name() {
                "GstNtpClock" => return Self::Ntp(clock.clone()),
                "GstPtpClock" => return Self::Ptp(clock.clone()),
                _ => kind = glib::Type::parent(ancestor),
            }
        }
        Self::System
    }

    /// Nanoseconds since 1900 and `offset` more.
    pub(super) fn now(&self, offset: i64) -> gst::ClockTime {
        let time = self.followed().unwrap_or_else(clock::ntp);
        let moved = i128::from(time.nseconds()) + i128::from(offset);
        // The highest number means that there is no time.
        let nanos = moved.clamp(0, i128::from(u64::MAX) - 1);
        gst::ClockTime::from_nseconds(nanos as u64)
    }

    /// How far `now` is ahead of the system's clock, in nanoseconds.
    pub(super) fn ahead(&self, offset: i64) -> i64 {
        if matches!(self, Self::System) {
            return offset;
        }
        let now = i128::from(self.now(offset).nseconds());
        let ahead = now - i128::from(clock::ntp().nseconds());
        ahead.clamp(i64::MIN.into(), i64::MAX.into()) as i64
    }

    /// The time of the clock that is followed, once it has found the time that it follows.
    fn followed(&self) -> Option<gst::ClockTime> {
        match self {
            Self::Ntp(clock) if clock.is_synced() => Some(clock.time()),
            Self::Ptp(clock) if clock.is_synced() => {
                Some((clock.time() + NTP_TO_PTP).saturating_sub(TAI_TO_UTC))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gst::subclass::prelude::*;

    const DAY: gst::ClockTime = gst::ClockTime::from_seconds(86_400);

    /// Clocks with the names of the real ones, which say that it is the second day of their time.
    macro_rules! second_day {
        ($module:ident, $name:literal) => {
            mod $module {
                use super::*;

                #[derive(Default)]
                pub struct Imp;

                #[glib::object_subclass]
                impl ObjectSubclass for Imp {
                    const NAME: &'static str = $name;
                    type Type = Clock;
                    type ParentType = gst::Clock;
                }

                impl ObjectImpl for Imp {}
                impl GstObjectImpl for Imp {}
                impl ClockImpl for Imp {
                    fn internal_time(&self) -> gst::ClockTime {
                        DAY
                    }
                }

                glib::wrapper! {
                    pub struct Clock(ObjectSubclass<Imp>) @extends gst::Clock, gst::Object;
                }
            }
        };
    }

    second_day!(ntp, "GstNtpClock");
    second_day!(ptp, "GstPtpClock");
    second_day!(other, "GstLiveTuneTestClock");

    fn clock<T: IsA<gst::Clock>>(synced: bool) -> gst::Clock {
        gst::init().expect("GStreamer starts");
        let clock = glib::Object::with_type(T::static_type());
        let clock = clock.downcast::<gst::Clock>().expect("a clock");
        if !synced {
            clock.set_clock_flags(gst::ClockFlags::NEEDS_STARTUP_SYNC);
        }
        clock
    }

    #[test]
    fn a_clock_that_follows_ntp_tells_the_time_since_1900() {
        let wall = Wall::of(Some(&clock::<ntp::Clock>(true)));
        assert_eq!(wall.now(0), DAY);
        assert_eq!(wall.now(-7), DAY - gst::ClockTime::from_nseconds(7));
        assert!(wall.ahead(0) < -3_000_000_000_000_000_000);
    }

    #[test]
    fn the_element_takes_the_clock_of_its_pipeline() {
        let clock = clock::<ntp::Clock>(true);
        let element = glib::Object::new::<crate::latencytracer::LatencyTracer>();
        let ahead = || {
            let stats = element.property::<gst::Structure>("stats");
            stats.get::<i64>("clock-offset").expect("an offset")
        };
        assert_eq!(ahead(), 0);
        element.set_clock(Some(&clock)).expect("a clock");
        assert!(ahead() < -3_000_000_000_000_000_000);
    }

    #[test]
    fn a_clock_that_follows_ptp_tells_the_time_since_1970_with_leap_seconds() {
        let wall = Wall::of(Some(&clock::<ptp::Clock>(true)));
        let utc = DAY - gst::ClockTime::from_seconds(37);
        assert_eq!(
            wall.now(0),
            utc + gst::ClockTime::from_seconds(2_208_988_800)
        );
    }

    #[test]
    fn another_clock_or_one_that_has_not_synchronised_leaves_it_to_the_system() {
        let clocks = [clock::<other::Clock>(true), clock::<ntp::Clock>(false)];
        for clock in clocks {
            let wall = Wall::of(Some(&clock));
            let off = wall.now(0).absdiff(clock::ntp());
            assert!(off < gst::ClockTime::SECOND, "{off}");
        }
        assert_eq!(Wall::of(None).ahead(-5), -5);
    }
}
