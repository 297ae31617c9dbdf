//! SIGINT (Ctrl-C), SIGTERM and SIGHUP: all ask for an end.

use std::io;

use rustix::process::Signal as Name;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that ask for an end, from the moment when this is made.
#[derive(Debug)]
pub(super) struct Signals {
    signals: [Signal; 3],
}

impl Signals {
    /// Takes the signals; without this they would end the process.
    pub(super) fn take() -> io::Result<Self> {
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let [a, b, c] = kinds.map(signal);
        Ok(Self { signals: [a?, b?, c?] })
    }

    /// Resolves with the next one.
    pub(super) async fn next(&mut self) {
        self.which().await;
    }

    /// Resolves with the next one, and says which it is.
    pub(super) async fn which(&mut self) -> Name {
        let [a, b, c] = &mut self.signals;
        tokio::select! {
            _ = a.recv() => Name::INT,
            _ = b.recv() => Name::TERM,
            _ = c.recv() => Name::HUP,
        }
    }
}
