//! What a process or a thread has used so far, and what several measurements come to.

use std::mem::MaybeUninit;
use std::ops::Sub;

/// Processor time in seconds, in its own code and in the kernel; page faults that needed no I/O.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    pub seconds: f64,
    pub faults: f64,
}

impl Sub for Usage {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self {
            seconds: self.seconds - other.seconds,
            faults: self.faults - other.faults,
        }
    }
}

impl Usage {
    pub fn of_this_process() -> Self {
        Self::of(libc::RUSAGE_SELF, libc::CLOCK_PROCESS_CPUTIME_ID)
    }

    pub fn of_this_thread() -> Self {
        Self::of(libc::RUSAGE_THREAD, libc::CLOCK_THREAD_CPUTIME_ID)
    }

    fn of(whom: libc::c_int, clock: libc::clockid_t) -> Self {
        let mut usage = MaybeUninit::<libc::rusage>::uninit();
        // SAFETY: the call fills in the whole structure where it answers 0.
        let usage = unsafe {
            assert_eq!(libc::getrusage(whom, usage.as_mut_ptr()), 0);
            usage.assume_init()
        };
        // The times of `getrusage` are in ticks on some kernels.
        let mut time = MaybeUninit::<libc::timespec>::uninit();
        // SAFETY: as above.
        let time = unsafe {
            assert_eq!(libc::clock_gettime(clock, time.as_mut_ptr()), 0);
            time.assume_init()
        };
        Self {
            seconds: time.tv_sec as f64 + time.tv_nsec as f64 / 1e9,
            faults: usage.ru_minflt as f64,
        }
    }
}

/// Bytes of memory that this process has.
pub fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let number = line.unwrap().split_whitespace().nth(1).unwrap();
    number.parse::<u64>().unwrap() * 1024
}

/// The value in the middle.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values[values.len() / 2]
}
