//! Processes that eat a processor each.

use std::process::{Child, Command, Stdio};

/// Makes this program a hog.
pub const WORD: &str = "hog";

/// Some of them; they end with this.
pub struct Hogs(Vec<Child>);

impl Hogs {
    pub fn start(count: usize) -> Self {
        let hog = |_| {
            let program = std::env::current_exe().unwrap();
            let mut command = Command::new(program);
            command.arg(WORD).stdin(Stdio::piped()).spawn().unwrap()
        };
        Self((0..count).map(hog).collect())
    }
}

impl Drop for Hogs {
    fn drop(&mut self) {
        for hog in &mut self.0 {
            let _ = hog.kill();
            let _ = hog.wait();
        }
    }
}

/// Eats until it is killed, or until who started it is gone.
pub fn eat() -> ! {
    std::thread::spawn(|| {
        let _ = std::io::read_to_string(std::io::stdin());
        std::process::exit(0);
    });
    let mut number = 1_u64;
    loop {
        number = std::hint::black_box(
            number
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1),
        );
    }
}
