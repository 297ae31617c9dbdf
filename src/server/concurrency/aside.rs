//! Where attempts wait that have found no permit.
//!
//! While there is overload, permits go to attempts that have just arrived: each one that were
//! accepted late would make another late. When the overload may have ended, those that wait are let
//! in, in growing numbers, until again somebody finds no permit. Who has waited long enough is
//! refused, and not before: a refused client comes again, and many of them are the overload.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::sync::oneshot::Sender;

/// The shortest wait before a refusal.
const PATIENCE_MIN: Duration = Duration::from_secs(2);

/// The longest wait. Proxies give up after some ten seconds.
const PATIENCE_MAX: Duration = Duration::from_secs(8);

/// Refusals per second, at most, until the wait is the longest one. A refusal after a wait costs as
/// much CPU as an accepted attempt, since the memory of its connection is in no cache by then.
const REFUSALS_PER_SECOND: u32 = 500;

/// Attempts that wait; further ones are refused at once. It is more than the connections that a
/// server has by default, and bounds what clients leave that hang up while they wait.
pub(super) const MAX: usize = 65_536;

/// After so many times the limit were accepted and nobody had to wait, one more of those that wait
/// is let in than last time. So, in constant overload, few that are accepted have waited.
const ROUNDS: usize = 10;

/// The attempts that wait, oldest first, and how many of them may be let in.
#[derive(Debug)]
pub(super) struct Aside<Permit> {
    /// Where each gets its permit. It is closed when that one has given up.
    waiting: VecDeque<Sender<Permit>>,
    /// Accepted since somebody had to wait, or more were allowed.
    accepted: usize,
    /// How many were allowed last time; 0 when somebody had to wait since.
    allowed: usize,
    /// How many of them were not yet let in.
    left: usize,
}

impl<Permit> Aside<Permit> {
    pub(super) fn new() -> Self {
        Self { waiting: VecDeque::new(), accepted: 0, allowed: 0, left: 0 }
    }

    /// Adds an attempt, and returns how long it should wait; `None` if there is no room.
    pub(super) fn add(&mut self, waiting: Sender<Permit>) -> Option<Duration> {
        (self.accepted, self.allowed, self.left) = (0, 0, 0);
        self.forget_gone();
        if self.waiting.len() == MAX {
            return None;
        }
        self.waiting.push_back(waiting);
        let evenly = Duration::from_secs(self.waiting.len() as u64) / REFUSALS_PER_SECOND;
        Some(evenly.clamp(PATIENCE_MIN, PATIENCE_MAX))
    }

    /// An attempt was accepted, under this limit.
    pub(super) fn accepted(&mut self, limit: usize) {
        self.accepted += 1;
        if self.accepted >= ROUNDS * limit {
            self.allow(self.allowed + 1);
        }
    }

    /// No attempt is in progress.
    pub(super) fn idle(&mut self) {
        self.allow(2 * self.allowed);
    }

    fn allow(&mut self, count: usize) {
        self.allowed = count.clamp(1, MAX);
        (self.accepted, self.left) = (0, self.allowed);
    }

    /// The oldest one, if it may be let in.
    pub(super) fn next(&mut self) -> Option<Sender<Permit>> {
        self.forget_gone();
        self.left = self.left.checked_sub(1)?;
        self.waiting.pop_front()
    }

    /// Removes those at the front that have given up.
    fn forget_gone(&mut self) {
        while self.waiting.front().is_some_and(Sender::is_closed) {
            self.waiting.pop_front();
        }
    }
}
