//! A server in this process. Each thread has its own, on a runtime that runs on this thread alone.

use std::cell::Cell;
use std::net::SocketAddr;
use std::sync::Arc;

use seckill::profile::{ServeFlags, ServePlan};
use seckill::secret::Secret;
use seckill::server::{App, Server};
use seckill::settings::Durability;
use seckill::units::Count;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use super::in_memory;

/// The admin token, so that admins' requests are among those that are changed.
pub(crate) const TOKEN: &str = "s3cret";

/// A server that runs while its runtime is driven.
pub(super) struct Fuzzed {
    pub(super) app: Arc<App>,
    pub(super) address: SocketAddr,
    _folder: TempDir,
}

/// A server with its runtime.
pub(super) struct Driven {
    pub(super) runtime: Runtime,
    server: Fuzzed,
}

impl std::ops::Deref for Driven {
    type Target = Fuzzed;

    fn deref(&self) -> &Fuzzed {
        &self.server
    }
}

thread_local! {
    static SERVER: Driven = {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let server = Fuzzed::start(&runtime, |_| {});
        Driven { runtime, server }
    };
    /// Panics on this thread.
    static PANICS: Cell<usize> = const { Cell::new(0) };
}

/// Calls this with the thread's server; no task of the server may panic meanwhile.
pub(super) fn with(run: impl FnOnce(&Driven)) {
    SERVER.with(run);
    assert_no_panic();
}

/// No task of a server of this thread may have panicked.
pub(super) fn assert_no_panic() {
    assert_eq!(PANICS.get(), 0, "a task of the server has panicked");
}

impl Fuzzed {
    /// Starts a server with this change of its plan.
    pub(super) fn start(runtime: &Runtime, change: impl FnOnce(&mut ServePlan)) -> Self {
        // A task that panics ends only its connection.
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            PANICS.set(PANICS.get() + 1);
            before(panic);
        }));
        let folder = in_memory();
        let flags = ServeFlags {
            listen: Some("127.0.0.1:0".into()),
            item: Some("tea".into()),
            stock: Some(Count(1_000_000)),
            durability: Some(Durability::None),
            data: Some(folder.path().join("data")),
            admin_token: Some(Secret(TOKEN.into())),
            ..ServeFlags::default()
        };
        let mut plan = ServePlan::new(&flags, 1_000).unwrap();
        change(&mut plan);
        let server = runtime.block_on(Server::start(plan)).unwrap();
        let (app, address) = (server.app(), server.address());
        runtime.spawn(server.run(std::future::pending()));
        Self { app, address, _folder: folder }
    }
}
