//! Three network namespaces in a row: sender, router, receiver.

use std::process::Command;

/// The sender's address.
pub const SENDER_ADDRESS: &str = "10.77.1.1";
/// The receiver's address.
pub const RECEIVER_ADDRESS: &str = "10.77.2.2";
/// The router's device towards the receiver.
pub const BOTTLENECK_DEVICE: &str = "narrow";

const PREFIX: &str = "livetune-";

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Sender,
    Router,
    Receiver,
}

const PLACES: [Place; 3] = [Place::Sender, Place::Router, Place::Receiver];

/// The namespaces, until this is dropped.
pub struct Network(());

impl Network {
    pub fn new() -> Self {
        remove_left_behind();
        let network = Self(());
        for place in PLACES {
            ip(&format!("netns add {}", name(place)));
            ip(&format!("-n {} link set lo up", name(place)));
        }
        let [sender, router, receiver] = PLACES.map(name);
        for line in [
            format!("link add out netns {sender} type veth peer name wide netns {router}"),
            format!(
                "link add {BOTTLENECK_DEVICE} netns {router} type veth peer name in netns {receiver}"
            ),
            format!("-n {sender} addr add {SENDER_ADDRESS}/24 dev out"),
            format!("-n {router} addr add 10.77.1.2/24 dev wide"),
            format!("-n {router} addr add 10.77.2.1/24 dev {BOTTLENECK_DEVICE}"),
            format!("-n {receiver} addr add {RECEIVER_ADDRESS}/24 dev in"),
            format!("-n {sender} link set out up"),
            format!("-n {router} link set wide up"),
            format!("-n {router} link set {BOTTLENECK_DEVICE} up"),
            format!("-n {receiver} link set in up"),
            format!("-n {sender} route add default via 10.77.1.2 congctl cubic"),
            format!("-n {receiver} route add default via 10.77.2.1"),
        ] {
            ip(&line);
        }
        let forward = "echo 1 > /proc/sys/net/ipv4/ip_forward";
        let mut shell = network.command(Place::Router, "sh");
        assert!(shell.args(["-c", forward]).status().unwrap().success());
        network
    }

    /// A command that runs `program` at `place`.
    pub fn command(&self, place: Place, program: &str) -> Command {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", &name(place), program]);
        command
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for place in PLACES {
            let _ = Command::new("ip")
                .args(["netns", "del", &name(place)])
                .status();
        }
    }
}

/// Why no network can be made here, in words for whoever started this.
pub fn obstacle() -> Option<&'static str> {
    let answers = |program: &str| Command::new(program).arg("-V").output().is_ok();
    if !(answers("ip") && answers("tc")) {
        return Some("needs the programs ip and tc: install iproute2");
    }
    let user = Command::new("id").arg("-u").output();
    let root = user.is_ok_and(|output| output.stdout == b"0\n");
    (!root).then_some("network namespaces need root: run it as root")
}

fn name(place: Place) -> String {
    let place = match place {
        Place::Sender => "sender",
        Place::Router => "router",
        Place::Receiver => "receiver",
    };
    format!("{PREFIX}{}-{place}", std::process::id())
}

/// What runs that were killed have left.
fn remove_left_behind() {
    let list = Command::new("ip").args(["netns", "list"]).output().unwrap();
    for line in String::from_utf8_lossy(&list.stdout).lines() {
        let name = line.split_whitespace().next().unwrap_or_default();
        let owner = name
            .strip_prefix(PREFIX)
            .and_then(|rest| rest.split_once('-'));
        if owner.is_some_and(|(owner, _)| !std::fs::exists(format!("/proc/{owner}")).unwrap()) {
            ip(&format!("netns del {name}"));
        }
    }
}

fn ip(line: &str) {
    let status = Command::new("ip").args(line.split_whitespace()).status();
    assert!(status.unwrap().success(), "ip {line}");
}
