//! An RTMP server: nginx with its RTMP module, out of Debian's packages.

use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::OnceLock;

use super::wait::eventually;

/// The server, until it is dropped.
pub struct Rtmp {
    process: Child,
    log: PathBuf,
    port: u16,
}

impl Rtmp {
    /// On `port`; `None` and a line that says so where the packages cannot be had.
    pub fn start(port: u16) -> Option<Self> {
        let packages = packages()?;
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("nginx-{port}"));
        std::fs::create_dir_all(&folder).unwrap();
        let module = packages.join("usr/lib/nginx/modules/ngx_rtmp_module.so");
        let log = folder.join("log");
        let (module, said) = (module.display(), log.display());
        let settings = format!(
            "load_module {module}; daemon off; master_process off; pid pid; error_log {said} info; events {{}} \
             rtmp {{ access_log off; server {{ listen 127.0.0.1:{port}; application live {{ live on; }} }} }}"
        );
        std::fs::write(folder.join("conf"), settings).unwrap();
        let process = Command::new(packages.join("usr/sbin/nginx"))
            .args(["-c", "conf", "-e", "log", "-p"])
            .arg(&folder)
            .spawn();
        Some(Self {
            process: process.unwrap(),
            log,
            port,
        })
    }

    pub fn url(&self) -> String {
        format!("rtmp://127.0.0.1:{}/live/stream", self.port)
    }

    /// Waits until the server's log says `words`.
    pub fn wait_for(&self, words: &str) {
        eventually(words, super::pipeline::LIMIT, || {
            let said = std::fs::read_to_string(&self.log);
            said.is_ok_and(|said| said.contains(words))
        });
    }
}

impl Drop for Rtmp {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Where they are unpacked.
fn packages() -> Option<&'static Path> {
    /// Exit status of the script where they cannot be had.
    const UNREACHABLE: i32 = 75;
    static PACKAGES: OnceLock<Option<PathBuf>> = OnceLock::new();
    let packages = PACKAGES.get_or_init(|| {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/nginx.sh");
        let unpacked = Command::new("sh")
            .arg(script)
            .env("CARGO_TARGET_DIR", target)
            .status()
            .unwrap();
        if unpacked.code() == Some(UNREACHABLE) {
            eprintln!("SKIP: Debian's package of nginx with RTMP cannot be had");
            return None;
        }
        assert!(unpacked.success(), "{script}");
        Some(target.join("nginx"))
    });
    packages.as_deref()
}
