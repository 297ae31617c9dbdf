//! The background tasks of the intake, for a queue without lookup.

use std::sync::Arc;

use tokio::task::JoinSet;

use crate::queue::Lookup;

use super::super::app::App;
use super::orphans;

/// Whether this process republishes attempts that the queue does not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum Orphans {
    Republish,
    Ignore,
}

/// Starts the tasks that the register needs, if the queue needs the register.
pub(in crate::server) fn spawn_tasks(app: &Arc<App>, orphans: Orphans, tasks: &mut JoinSet<()>) {
    let Lookup::Register(broker) = app.queue.lookup() else { return };
    let confirming = Arc::clone(app);
    tasks.spawn(async move { confirming.confirm_batcher.run(&confirming.store).await });
    if orphans == Orphans::Republish {
        tasks.spawn(orphans::republish_loop(Arc::clone(app), broker.clone()));
    }
}
