//! Random faults, drawn from a seed. The word is Jepsen's.

use std::time::Duration;

use crate::random::{Draw, bits, uniform};

use super::{Action, Fault, Part, ProcessAction, Toxic, ToxicKind, Trigger, Way};

/// How long a drawn fault lasts, in milliseconds: shorter and longer than the time-outs of servers
/// would allow for a campaign of many faults.
const LASTS_MS: [u64; 2] = [200, 2_500];

/// The pause after a drawn fault, in milliseconds: long enough for the system to recover mostly,
/// and not always.
const PAUSE_MS: [u64; 2] = [500, 2_500];

/// The time before the first fault and after the last one.
const MARGIN: Duration = Duration::from_secs(1);

/// How many numbers are drawn for a fault.
const DRAWS: u64 = 6;

/// Draws the faults of a campaign. The same seed, length and parts give the same faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Nemesis {
    /// The seed.
    pub seed: u64,
    /// When the first fault may begin: after the warm-up.
    pub from: Duration,
    /// The length of the load.
    pub over: Duration,
}

impl Nemesis {
    /// The faults of a system with these parts that can break, each with whether it is a process
    /// or connections. None of them loses data that the system has nowhere else.
    pub fn draw(self, parts: &[(Part, Breaks)]) -> Vec<Fault> {
        let (mut faults, mut at) = (Vec::new(), self.from + MARGIN);
        for number in 0.. {
            let draw = Drawn { seed: self.seed, number };
            let lasts = draw.time(0, LASTS_MS);
            if parts.is_empty() || at + lasts + MARGIN > self.over {
                break;
            }
            let (what, breaks) = parts[draw.below(1, parts.len())];
            let does = match breaks {
                Breaks::Process => Action::Process(match draw.below(2, 2) {
                    0 => ProcessAction::Pause,
                    _ => ProcessAction::Kill,
                }),
                Breaks::Connections => Action::Link(draw.toxic()),
            };
            let at_now = Trigger::After(at);
            faults.push(Fault { at: at_now, lasts: Some(lasts), what, does, nodes: None });
            at += lasts + draw.time(5, PAUSE_MS);
        }
        faults
    }
}

/// What of a part can break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breaks {
    /// The connections to it.
    Connections,
    /// Its process.
    Process,
}

/// The numbers that are drawn for one fault.
#[derive(Clone, Copy)]
struct Drawn {
    seed: u64,
    number: u64,
}

impl Drawn {
    fn below(self, which: u64, bound: usize) -> usize {
        let bits = bits(self.seed, Draw::Fault, self.number * DRAWS + which);
        (bits % bound.max(1) as u64) as usize
    }

    fn time(self, which: u64, [min, max]: [u64; 2]) -> Duration {
        let part = uniform(self.seed, Draw::Fault, self.number * DRAWS + which);
        Duration::from_millis(min + ((max - min) as f64 * part) as u64)
    }

    fn toxic(self) -> Toxic {
        let delay = self.time(3, [5, 300]);
        let bytes = 1 + self.below(3, 512) as u64;
        let kinds = [
            ToxicKind::Latency { delay, jitter: delay / 4 },
            ToxicKind::Bandwidth { bytes_per_s: 1_000 * bytes },
            ToxicKind::Slicer { bytes, delay: Duration::from_millis(1) },
            ToxicKind::Blackhole,
            ToxicKind::Timeout { delay },
            ToxicKind::Reset,
            ToxicKind::SlowClose { delay },
            ToxicKind::LimitData { bytes: 8 * bytes },
            ToxicKind::Down,
            ToxicKind::HalfOpen,
        ];
        let kind = kinds[self.below(2, kinds.len())];
        let ways = [Way::Both, Way::Up, Way::Down];
        let way = if kind.has_way() { ways[self.below(4, ways.len())] } else { Way::Both };
        Toxic { kind, way }
    }
}
