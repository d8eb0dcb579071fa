//! Page faults of this process.

/// Minor page faults of all threads since the process began.
pub(super) fn of_this_process() -> u64 {
    // SAFETY: plain numbers, for which all zeroes are a value; the call fills them.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &raw mut usage);
        usage
    };
    u64::try_from(usage.ru_minflt).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn new_memory_takes_a_fault_for_each_page() {
        let before = of_this_process();
        let pages = 1_000;
        // Above what malloc keeps: it maps this anew.
        let mut memory = vec![0_u8; 64 * 1024 * 1024];
        for page in 0..pages {
            memory[page * 4096] = 1;
        }
        std::hint::black_box(&memory);
        assert!(of_this_process() - before >= pages as u64 / 2);
    }
}
