//! The faults that a proxy's connections have at a moment.

use std::time::Duration;

use tokio::sync::watch;

use crate::profile::{Toxic, ToxicKind, Way};

/// A fault of the connections, with a number that no other one has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Active {
    pub(super) id: u64,
    pub(super) toxic: Toxic,
}

/// All faults at a moment.
#[derive(Debug, Clone, Default)]
pub(super) struct Toxics(pub(super) Vec<Active>);

/// The faults as one connection sees them.
pub(super) type Seen = watch::Receiver<Toxics>;

/// What ends a connection at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// It is reset.
    Reset,
    /// It is closed.
    Close,
    /// Its far end is gone, and the near end is not told.
    HalfOpen,
}

impl Toxics {
    fn kinds(&self) -> impl Iterator<Item = ToxicKind> {
        self.0.iter().map(|active| active.toxic.kind)
    }

    /// Those that affect the bytes of a direction.
    fn of(&self, way: Way) -> impl Iterator<Item = &Active> {
        self.0.iter().filter(move |active| active.toxic.way == way || active.toxic.way == Way::Both)
    }

    pub(super) fn cut(&self) -> Option<Cut> {
        self.kinds().find_map(|kind| match kind {
            ToxicKind::Reset => Some(Cut::Reset),
            ToxicKind::Down => Some(Cut::Close),
            ToxicKind::HalfOpen => Some(Cut::HalfOpen),
            _ => None,
        })
    }

    /// Whether new connections are refused.
    pub(super) fn refuses(&self) -> bool {
        self.kinds().any(|kind| kind == ToxicKind::Down)
    }

    /// Whether no byte of a direction arrives.
    pub(super) fn blocks(&self, way: Way) -> bool {
        let blocks = |kind| matches!(kind, ToxicKind::Blackhole | ToxicKind::Timeout { .. });
        self.of(way).any(|active| blocks(active.toxic.kind))
    }

    /// The time after which connections are closed, if they are, with the fault's number.
    pub(super) fn time_out(&self) -> Option<(u64, Duration)> {
        self.0.iter().find_map(|active| match active.toxic.kind {
            ToxicKind::Timeout { delay } => Some((active.id, delay)),
            _ => None,
        })
    }

    /// How much later bytes of a direction arrive; `draw` is uniform from 0 to 1.
    pub(super) fn latency(&self, way: Way, draw: f64) -> Duration {
        let one = |active: &Active| match active.toxic.kind {
            ToxicKind::Latency { delay, jitter } => {
                (delay + jitter.mul_f64(2.0 * draw)).saturating_sub(jitter)
            }
            _ => Duration::ZERO,
        };
        self.of(way).map(one).sum()
    }

    /// The lowest of all limits of bytes per second.
    pub(super) fn bytes_per_s(&self, way: Way) -> Option<u64> {
        let one = |active: &Active| match active.toxic.kind {
            ToxicKind::Bandwidth { bytes_per_s } => Some(bytes_per_s),
            _ => None,
        };
        self.of(way).filter_map(one).min()
    }

    /// The slices in which bytes arrive, with the pause after each.
    pub(super) fn slices(&self, way: Way) -> Option<(usize, Duration)> {
        self.of(way).find_map(|active| match active.toxic.kind {
            ToxicKind::Slicer { bytes, delay } => {
                Some((usize::try_from(bytes).unwrap_or(usize::MAX), delay))
            }
            _ => None,
        })
    }

    /// The number of bytes after which a connection is closed, with the fault's number.
    pub(super) fn limit(&self, way: Way) -> Option<(u64, u64)> {
        self.of(way).find_map(|active| match active.toxic.kind {
            ToxicKind::LimitData { bytes } => Some((active.id, bytes)),
            _ => None,
        })
    }

    /// How much later the end of a connection arrives.
    pub(super) fn slow_close(&self) -> Duration {
        let one = |kind| match kind {
            ToxicKind::SlowClose { delay } => delay,
            _ => Duration::ZERO,
        };
        self.kinds().map(one).sum()
    }
}
