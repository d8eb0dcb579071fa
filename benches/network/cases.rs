//! The cases: what the network does, what is sent, and what must come of it.

use crate::figures::Figure::{
    self, LossPercent, QueueP95, ReachedAfter, SettledAfter, Share, Used, UsedLate,
};

pub struct Case {
    pub name: &'static str,
    pub about: &'static str,
    pub transport: Transport,
    pub seconds: u32,
    /// From which second on the bottleneck has how many kbit/s.
    pub link: &'static [(u32, u32)],
    /// Of the path without its queue, one way.
    pub delay_ms: u32,
    pub random_loss_percent: u32,
    /// Limits and start of the controller, kbit/s.
    pub min: u32,
    pub start: u32,
    pub max: u32,
    /// The picture stands still until this second.
    pub still_until: u32,
    /// A TCP flow beside, from one second to another.
    pub tcp: Option<(u32, u32)>,
    pub phases: &'static [Phase],
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    Rtp,
    Srt,
    Rtmp,
}

/// A part of the case that is judged by itself.
pub struct Phase {
    pub name: &'static str,
    pub from: u32,
    pub to: u32,
    pub musts: &'static [Must],
}

#[derive(Clone, Copy)]
pub enum Must {
    AtLeast(Figure, f64),
    AtMost(Figure, f64),
}

/// Who controls the congestion.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Who {
    Ours,
    Rtpgccbwe,
}

use Must::{AtLeast, AtMost};

const BASE: Case = Case {
    name: "",
    about: "",
    transport: Transport::Rtp,
    seconds: 60,
    link: &[],
    delay_ms: 25,
    random_loss_percent: 0,
    min: 150,
    start: 1_000,
    max: 8_000,
    still_until: 0,
    tcp: None,
    phases: &[],
};

const fn phase(name: &'static str, from: u32, to: u32, musts: &'static [Must]) -> Phase {
    Phase {
        name,
        from,
        to,
        musts,
    }
}

/// What every phase of RFC 8867 5.1 must use.
const EVERY_PHASE: &[Must] = &[AtLeast(Used, 85.0)];

pub const ALL: [Case; 10] = [
    Case {
        name: "const2",
        about: "constant 2 Mbit/s, from 0.6",
        link: &[(0, 2_000)],
        start: 600,
        phases: &[phase(
            "2M",
            0,
            60,
            &[
                AtLeast(UsedLate, 92.0),
                AtMost(ReachedAfter, 3.0),
                AtMost(QueueP95, 40.0),
            ],
        )],
        ..BASE
    },
    Case {
        name: "step",
        about: "4, then 1, then 3 Mbit/s",
        seconds: 90,
        link: &[(0, 4_000), (30, 1_000), (60, 3_000)],
        start: 600,
        phases: &[
            phase("4M", 0, 30, &[]),
            phase(
                "4M to 1M",
                30,
                60,
                &[AtMost(SettledAfter, 1.0), AtMost(LossPercent, 1.0)],
            ),
            phase("1M to 3M", 60, 90, &[AtMost(ReachedAfter, 4.0)]),
        ],
        ..BASE
    },
    Case {
        name: "rfc51",
        about: "RFC 8867, 5.1: 1, 2.5, 0.6, 1 Mbit/s, 50 ms, sender between 0.15 and 1.5 Mbit/s",
        seconds: 100,
        link: &[(0, 1_000), (40, 2_500), (60, 600), (80, 1_000)],
        delay_ms: 50,
        start: 150,
        max: 1_500,
        phases: &[
            phase("1M", 0, 40, EVERY_PHASE),
            phase("2.5M, sender 1.5M", 40, 60, EVERY_PHASE),
            phase("0.6M", 60, 80, EVERY_PHASE),
            phase("1M again", 80, 100, EVERY_PHASE),
        ],
        ..BASE
    },
    Case {
        name: "loss2",
        about: "2 % random loss on 4 Mbit/s",
        random_loss_percent: 2,
        seconds: 45,
        link: &[(0, 4_000)],
        phases: &[phase("4M", 0, 45, &[])],
        ..BASE
    },
    Case {
        name: "loss5",
        about: "5 % random loss on 4 Mbit/s",
        random_loss_percent: 5,
        seconds: 45,
        link: &[(0, 4_000)],
        phases: &[phase("4M", 0, 45, &[AtLeast(Used, 80.0)])],
        ..BASE
    },
    Case {
        name: "loss10",
        about: "10 % random loss on 4 Mbit/s",
        random_loss_percent: 10,
        seconds: 45,
        link: &[(0, 4_000)],
        phases: &[phase("4M", 0, 45, &[AtLeast(Used, 60.0)])],
        ..BASE
    },
    Case {
        name: "tcp",
        about: "one TCP flow (cubic) beside, on 4 Mbit/s",
        link: &[(0, 4_000)],
        start: 2_000,
        tcp: Some((12, 42)),
        phases: &[
            phase("alone", 0, 12, &[]),
            phase(
                "beside TCP",
                12,
                42,
                &[AtLeast(Share, 0.5), AtMost(Share, 2.0)],
            ),
            phase("alone again", 42, 60, &[]),
        ],
        ..BASE
    },
    Case {
        name: "static-busy",
        about: "a picture that stands still, then moves, on 2 Mbit/s",
        link: &[(0, 2_000)],
        still_until: 30,
        phases: &[
            phase("still", 0, 30, &[]),
            phase(
                "busy",
                30,
                60,
                &[
                    AtMost(QueueP95, 120.0),
                    AtMost(LossPercent, 0.0),
                    AtMost(ReachedAfter, 2.0),
                ],
            ),
        ],
        ..BASE
    },
    Case {
        name: "srt",
        about: "SRT, 3 Mbit/s asked of 2 Mbit/s",
        transport: Transport::Srt,
        link: &[(0, 2_000)],
        start: 3_000,
        max: 3_000,
        phases: &[phase(
            "2M",
            0,
            60,
            &[AtLeast(Used, 85.0), AtMost(LossPercent, 2.0)],
        )],
        ..BASE
    },
    Case {
        name: "rtmp",
        about: "RTMP to nginx, 3 Mbit/s asked of 2 Mbit/s",
        transport: Transport::Rtmp,
        link: &[(0, 2_000)],
        delay_ms: 0,
        start: 3_000,
        max: 3_000,
        phases: &[phase("2M", 0, 60, &[])],
        ..BASE
    },
];

impl Case {
    /// The case of that name.
    pub fn called(name: &str) -> &'static Self {
        let found = ALL.iter().find(|case| case.name == name);
        found.unwrap_or_else(|| panic!("no case is called {name}"))
    }

    /// What the bottleneck has at `second`, in bit/s.
    pub fn capacity(&self, second: f64) -> f64 {
        let passed = self
            .link
            .iter()
            .take_while(|(from, _)| f64::from(*from) <= second);
        passed.last().map_or(0.0, |(_, kbit)| bits(*kbit))
    }

    /// What the sender may use of it, in bit/s.
    pub fn usable(&self, second: f64) -> f64 {
        self.capacity(second).min(bits(self.max))
    }
}

fn bits(kbit: u32) -> f64 {
    f64::from(kbit) * 1e3
}

impl Who {
    /// Those that run `case`: ours, and the peer that the user asked for if it knows the transport.
    pub fn of(case: &Case) -> Vec<Self> {
        let peer = std::env::var("PEER").ok().filter(|peer| !peer.is_empty());
        let peer = peer.map(|peer| Self::called(&peer));
        let peer = peer.filter(|_| case.transport == Transport::Rtp);
        [Some(Self::Ours), peer].into_iter().flatten().collect()
    }

    pub fn called(name: &str) -> Self {
        let mut all = [Self::Ours, Self::Rtpgccbwe].into_iter();
        let found = all.find(|who| who.name() == name);
        found.unwrap_or_else(|| panic!("no peer is called {name}: PEER=rtpgccbwe"))
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Ours => "adaptivebitrate",
            Self::Rtpgccbwe => "rtpgccbwe",
        }
    }
}
