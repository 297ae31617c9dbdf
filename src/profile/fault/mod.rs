//! Faults in the plan of a run: what breaks, how, when and for how long.

mod check;
mod nemesis;
mod parse;
mod table;
#[cfg(test)]
mod tests;
mod write;

use std::time::Duration;

use crate::settings::Nodes;

pub(super) use check::check;
pub use nemesis::{Breaks, Nemesis};

/// One fault of a plan.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// When it begins.
    pub at: Trigger,
    /// How long it lasts; `None` for one that lasts until the load ends.
    pub lasts: Option<Duration>,
    /// What breaks.
    pub what: Part,
    /// How it breaks.
    pub does: Action,
    /// Which nodes of a broker's cluster break; `None` for the usual ones.
    pub nodes: Option<Nodes>,
}

/// The beginning of a fault.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Trigger {
    /// This time after the beginning of the load.
    After(Duration),
    /// As soon as the sale has fewer units left than this.
    StockBelow(Units),
}

/// A number of units, as it is or as a share of the stock.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Units {
    /// This many.
    Number(u64),
    /// This share of the stock at the beginning of the run, from 0 to 1.
    Share(f64),
}

/// A part of the tested system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// The connections of the buyers to the server.
    Client,
    /// The broker, and the server's connections to it.
    Broker,
    /// The store, and the server's connections to it.
    Store,
    /// The process that accepts attempts.
    Server,
    /// The process that decides attempts.
    Consumer,
    /// The disk of the embedded queue and store.
    Disk,
}

/// What a fault does to a part.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Action {
    /// To the connections to the part.
    Link(Toxic),
    /// To the process of the part.
    Process(ProcessAction),
}

/// What a fault does to a process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessAction {
    /// It is suspended: it keeps its connections and answers nothing.
    Pause,
    /// It is killed with SIGKILL, and restarted when the fault ends.
    Kill,
    /// It is killed, loses its data, and is restarted when the fault ends.
    Wipe,
    /// Its disk is full. If it ends because of that, it is restarted when the fault ends.
    Full,
}

/// What a fault does to connections: the toxics of Toxiproxy, and a half-open connection.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Toxic {
    /// What it does.
    pub kind: ToxicKind,
    /// The direction of the bytes that it affects.
    pub way: Way,
}

/// The direction of bytes, as the side that opens the connections sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Way {
    /// Both directions.
    #[default]
    Both,
    /// From the side that opened the connection.
    Up,
    /// To the side that opened the connection.
    Down,
}

/// The kinds of toxics.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ToxicKind {
    /// Each byte arrives later by `delay`, and by up to `jitter` more or less, in order.
    Latency {
        /// The mean.
        delay: Duration,
        /// The largest difference from the mean, drawn uniformly.
        jitter: Duration,
    },
    /// At most this many bytes per second, for each connection.
    Bandwidth {
        /// At least 1.
        bytes_per_s: u64,
    },
    /// Bytes arrive in slices, with a pause after each.
    Slicer {
        /// The bytes of a slice; at least 1.
        bytes: u64,
        /// The pause.
        delay: Duration,
    },
    /// No byte arrives while it lasts, and neither side is told; afterwards, what was sent arrives,
    /// as TCP sends it again. New connections are opened and carry nothing.
    Blackhole,
    /// No byte arrives, and the connection is closed after this time.
    Timeout {
        /// The time.
        delay: Duration,
    },
    /// Connections are reset, new ones too.
    Reset,
    /// The end of a connection arrives later by this time.
    SlowClose {
        /// The time.
        delay: Duration,
    },
    /// A connection is closed after this many bytes.
    LimitData {
        /// The bytes.
        bytes: u64,
    },
    /// Connections are closed, and new ones are refused.
    Down,
    /// The far end is gone, and the near end is not told: what it sends vanishes.
    HalfOpen,
}

impl Fault {
    /// Whether it kills the process that accepts attempts.
    pub fn kills_server(&self) -> bool {
        let kills = [ProcessAction::Kill, ProcessAction::Wipe].map(Action::Process);
        self.what == Part::Server && kills.contains(&self.does)
    }
}

impl Trigger {
    /// Whether it comes before this moment.
    pub(super) fn is_before(self, moment: Duration) -> bool {
        matches!(self, Self::After(time) if time < moment)
    }

    /// The earliest moment at which it may come.
    pub fn earliest(self) -> Duration {
        match self {
            Self::After(time) => time,
            Self::StockBelow(_) => Duration::ZERO,
        }
    }

    /// Whether it comes after a load of this length.
    pub(super) fn is_after(self, length: Option<Duration>) -> bool {
        matches!((self, length), (Self::After(time), Some(length)) if time >= length)
    }
}

impl Part {
    /// All parts.
    pub const ALL: [Self; 6] =
        [Self::Client, Self::Broker, Self::Store, Self::Server, Self::Consumer, Self::Disk];

    /// The word of a fault.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Broker => "broker",
            Self::Store => "store",
            Self::Server => "server",
            Self::Consumer => "consumer",
            Self::Disk => "disk",
        }
    }

    /// Whether it can have an action, and otherwise why not.
    fn refuses(self, action: &Action) -> Option<&'static str> {
        let action = match action {
            Action::Link(_) => None,
            Action::Process(action) => Some(action),
        };
        match (self, action) {
            (Self::Disk, Some(ProcessAction::Full)) => None,
            (Self::Disk, _) => Some("can only be do=full"),
            (_, Some(ProcessAction::Full)) => Some("is no disk: write what=disk do=full"),
            (Self::Client, Some(_)) => {
                Some("buyers are no process: name the `server`, or a fault of connections")
            }
            (Self::Server | Self::Consumer, None) => Some(
                "is a process: write do=pause, do=kill or do=wipe, or name the connections by \
                 `client`, `broker` or `store`",
            ),
            (Self::Client | Self::Broker | Self::Store, None)
            | (Self::Broker | Self::Store | Self::Server | Self::Consumer, Some(_)) => None,
        }
    }
}
