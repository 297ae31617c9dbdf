//! How far one connection is: what has arrived, what was answered, and since when. No I/O.

use std::time::{Duration, Instant};

use super::framing::Framing;
use super::limits::Timeouts;

/// The progress of one connection.
#[derive(Debug)]
pub(super) struct Progress {
    opened: Instant,
    framing: Framing,
    phase: Phase,
    /// Requests that the handler was given.
    requests: u64,
    /// Whether the handler is at work.
    is_handling: bool,
    /// Bodies of answers that are not yet written in full.
    bodies: u32,
    /// What is being sent: since when, and how many bytes the kernel has taken.
    output: Option<(Instant, u64)>,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    /// Nothing of the next request has arrived, and everything before it is answered.
    Idle(Instant),
    /// A head has begun to arrive.
    Receiving(Instant),
    /// The handler has had the request since then, or its answer is being sent.
    Answering(Instant),
}

/// A limit that a connection has exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overdue {
    /// No further request has begun.
    Request,
    /// A head has not ended.
    Head,
    /// The client is not receiving what is sent to it.
    Answer,
}

impl Progress {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            opened: now,
            framing: Framing::default(),
            phase: Phase::Idle(now),
            requests: 0,
            is_handling: false,
            bodies: 0,
            output: None,
        }
    }

    /// These bytes have arrived; returns whether they announce a body that is too long.
    pub(super) fn received(&mut self, bytes: &[u8]) -> bool {
        self.framing.feed(bytes);
        if matches!(self.phase, Phase::Idle(_)) && self.has_next_begun() {
            self.phase = Phase::Receiving(Instant::now());
        }
        self.framing.is_too_long()
    }

    /// The handler is given the next request; returns whether it is unknown where it ends.
    pub(super) fn handling(&mut self) -> bool {
        self.requests += 1;
        self.is_handling = true;
        self.phase = Phase::Answering(Instant::now());
        self.framing.ambiguous().is_some_and(|first| first <= self.requests)
    }

    /// A whole request has arrived while it was idle, and the handler is given it.
    pub(super) fn whole_request(&mut self) {
        self.framing.whole_request();
        self.requests += 1;
        self.phase = Phase::Answering(Instant::now());
    }

    /// The kernel has taken the whole answer to such a request.
    pub(super) fn whole_answer(&mut self) {
        self.output = None;
        self.phase = Phase::Idle(Instant::now());
    }

    /// A whole request has arrived while it was idle, and the kernel has taken the whole answer.
    pub(super) fn whole_exchange(&mut self, now: Instant) {
        self.framing.whole_request();
        self.requests += 1;
        self.phase = Phase::Idle(now);
    }

    /// The handler has answered.
    pub(super) fn answered(&mut self) {
        self.is_handling = false;
        self.bodies += 1;
    }

    /// The body of an answer is in the buffer.
    pub(super) fn body_ended(&mut self) {
        self.bodies -= 1;
    }

    /// The kernel has taken so many bytes; 0 if its buffer is full.
    pub(super) fn sent(&mut self, len: u64) {
        self.output.get_or_insert_with(|| (Instant::now(), 0)).1 += len;
    }

    /// The buffer is empty.
    pub(super) fn flushed(&mut self) {
        if self.bodies > 0 {
            return;
        }
        self.output = None;
        if matches!(self.phase, Phase::Answering(_)) && !self.is_handling {
            let now = Instant::now();
            self.phase = match self.has_next_begun() {
                true => Phase::Receiving(now),
                false => Phase::Idle(now),
            };
        }
    }

    /// Whether everything that has arrived is answered.
    pub(super) fn is_idle(&self) -> bool {
        matches!(self.phase, Phase::Idle(_))
    }

    /// How long it has been idle; `None` if it is not.
    pub(super) fn idle(&self, now: Instant) -> Option<Duration> {
        match self.phase {
            Phase::Idle(since) => Some(now.saturating_duration_since(since)),
            Phase::Receiving(_) | Phase::Answering(_) => None,
        }
    }

    /// For how long a head, or the body of the present request, has been arriving; `None` if the
    /// client owes nothing.
    pub(super) fn receiving(&self, now: Instant) -> Option<Duration> {
        let (Phase::Receiving(began) | Phase::Answering(began)) = self.phase else { return None };
        // What is behind a whole request can wait.
        let owes_body =
            self.framing.heads() == self.requests && !self.framing.is_between_requests();
        let owes = matches!(self.phase, Phase::Receiving(_)) || owes_body;
        owes.then(|| now.saturating_duration_since(began))
    }

    /// The limit that it has exceeded.
    pub(super) fn overdue(&self, now: Instant, timeouts: &Timeouts) -> Option<Overdue> {
        let since = |moment| now.saturating_duration_since(moment);
        if let Some((began, sent)) = self.output
            && since(began) > timeouts.answer + Duration::from_secs(sent / timeouts.answer_rate)
        {
            return Some(Overdue::Answer);
        }
        match self.phase {
            Phase::Idle(began) => (since(began) > timeouts.idle).then_some(Overdue::Request),
            Phase::Receiving(began) => (since(began) > timeouts.head).then_some(Overdue::Head),
            Phase::Answering(_) => None,
        }
    }

    /// Whether it has been served so much that its slot should go to one that waits.
    pub(super) fn has_had_its_share(&self, requests: u64, age: Duration) -> bool {
        self.requests >= requests || self.opened.elapsed() >= age
    }

    fn has_next_begun(&self) -> bool {
        self.framing.heads() > self.requests || !self.framing.is_between_requests()
    }
}
