//! An RTMP server in the receiver's namespace: nginx, out of Debian's packages.

use std::process::{Child, Command};
use std::time::Duration;

use crate::child::scratch;
use crate::clock;
use crate::namespaces::{Network, Place, RECEIVER_ADDRESS};

const PORT: u16 = 1_935;
/// It starts within milliseconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where the sender sends to.
pub fn url() -> String {
    format!("rtmp://{RECEIVER_ADDRESS}:{PORT}/live/stream")
}

/// The server, until it is dropped.
pub struct Server(Child);

impl Server {
    pub fn start(network: &Network) -> Self {
        let target = scratch("..");
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/nginx.sh");
        let unpacked = Command::new("sh")
            .arg(script)
            .env("CARGO_TARGET_DIR", &target)
            .status();
        assert!(unpacked.unwrap().success(), "{script}: nginx cannot be had");
        let packages = target.join("nginx").canonicalize().unwrap();
        let module = packages.join("usr/lib/nginx/modules/ngx_rtmp_module.so");
        let folder = scratch("network-nginx");
        std::fs::create_dir_all(&folder).unwrap();
        let log = folder.join("log");
        let settings = format!(
            "load_module {}; daemon off; master_process off; pid pid; error_log {} info; events {{}} \
             rtmp {{ access_log off; server {{ listen {RECEIVER_ADDRESS}:{PORT}; application live {{ live on; }} }} }}",
            module.display(),
            log.display()
        );
        std::fs::write(folder.join("conf"), settings).unwrap();
        let _ = std::fs::remove_file(folder.join("pid"));
        let server = network
            .command(Place::Receiver, "nice")
            .args(["-n", "-15"])
            .arg(packages.join("usr/sbin/nginx"))
            .args(["-c", "conf", "-e", "log", "-p"])
            .arg(&folder)
            .spawn();
        let server = Self(server.unwrap());
        let end = clock::now() + PATIENCE.as_nanos() as u64;
        while !folder.join("pid").exists() {
            assert!(clock::now() < end, "nginx starts: {}", log.display());
            clock::wait_until(clock::now() + 10_000_000);
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
