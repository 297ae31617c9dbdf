//! The signals that ask the program to end: SIGINT (Ctrl-C), SIGTERM and SIGHUP; and the one that
//! is not to end it.

use std::io;

use rustix::process::{Resource, Signal as Name, getrlimit};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How many open files handlers of signals need, and some more.
const FILES_MIN: u64 = 32;

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

/// Makes a write beyond the limit of a file's size (ulimit -f) fail: without this, its signal ends
/// the process without a word, and leaves a file that is cut off.
pub(super) fn outlive_file_size_limit() -> io::Result<()> {
    // With fewer, the handler cannot be set, and neither a run nor a server can begin.
    if getrlimit(Resource::Nofile).current.is_some_and(|files| files < FILES_MIN) {
        return Ok(());
    }
    // A handler can only be set inside a runtime. It stays until the process ends.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let _inside = runtime.enter();
    signal(SignalKind::from_raw(Name::XFSZ.as_raw())).map(drop)
}
