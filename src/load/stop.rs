//! Ending a run early: no attempt begins any more, those in flight go on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

/// Asked for by one, seen by all users.
#[derive(Debug, Clone)]
pub struct Stop {
    shared: Arc<(AtomicBool, watch::Sender<()>)>,
}

impl Default for Stop {
    fn default() -> Self {
        Self { shared: Arc::new((AtomicBool::new(false), watch::Sender::new(()))) }
    }
}

impl Stop {
    /// Asks every user to begin nothing more.
    pub fn ask(&self) {
        self.shared.0.store(true, Ordering::Release);
        self.shared.1.send_replace(());
    }

    /// Whether it was asked for.
    pub fn is_asked(&self) -> bool {
        self.shared.0.load(Ordering::Acquire)
    }

    /// Resolves when it is asked for.
    pub(super) async fn asked(&self) {
        let mut asked = self.shared.1.subscribe();
        // An error would mean that nobody can ask, but this is somebody.
        while !self.is_asked() && asked.changed().await.is_ok() {}
    }
}
