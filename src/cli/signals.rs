//! The signals that ask the program to end: SIGINT (Ctrl-C), SIGTERM and SIGHUP.

use std::io;

use rustix::process::Signal as Name;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// A subscription to these signals.
#[derive(Debug)]
pub(super) struct Signals {
    signals: [Signal; 3],
}

impl Signals {
    /// Subscribes. From here on the signals no longer end the process by themselves.
    pub(super) fn take() -> io::Result<Self> {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let [a, b, c] = kinds.map(signal);
        // A write beyond the limit of a file's size (ulimit -f) then fails, and does not end the
        // process without a word.
        drop(signal(SignalKind::from_raw(Name::XFSZ.as_raw()))?);
        Ok(Self { signals: [a?, b?, c?] })
    }

    /// Resolves at the next signal.
    pub(super) async fn next(&mut self) {
        self.which().await;
    }

    /// Resolves at the next signal, with its name.
    pub(super) async fn which(&mut self) -> Name {
        let [a, b, c] = &mut self.signals;
        tokio::select! {
            _ = a.recv() => Name::INT,
            _ = b.recv() => Name::TERM,
            _ = c.recv() => Name::HUP,
        }
    }
}
