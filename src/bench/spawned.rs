//! The bench's own server: started on a free port in a temporary folder, stopped on every exit
//! path.
//!
//! It is in its own process group, so that Ctrl-C reaches only the bench; its reaper kills it and
//! removes the folder when the bench is killed, even by `kill -9`.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, bail};
use serde_json::Value;
use tempfile::TempDir;

use crate::ids::RequestId;
use crate::lab::{SmallDisk, free_port};
use crate::profile::{ServeFlags, env_name};
use crate::secret::Secret;
use crate::settings::Role;

use super::server_process::ServerProcess;

/// A running server.
#[derive(Debug)]
pub(super) struct Spawned {
    // Fields are dropped in this order, so that the folder is removed after the processes have
    // ended.
    pub(super) server: Arc<ServerProcess>,
    /// The process that decides, if that is not the server itself.
    pub(super) consumer: Option<Arc<ServerProcess>>,
    pub(super) url: String,
    pub(super) admin_token: Secret,
    _folder: TempDir,
}

/// How a server is started.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shape {
    /// Whether another process decides.
    pub(super) has_consumer: bool,
    /// Whether the folder of its data is a small disk, which can be full.
    pub(super) has_small_disk: bool,
    /// Whether it may be restarted, so that it needs a port that no client is given meanwhile.
    pub(super) restarts: bool,
}

impl Spawned {
    /// Starts `seckill serve` with these flags and waits until it listens.
    pub(super) async fn start(flags: ServeFlags, shape: Shape) -> anyhow::Result<Self> {
        // If the bench ends during the start, the reaper ends the server.
        tokio::task::spawn_blocking(move || Self::launch(flags, shape)).await?
    }

    fn launch(mut flags: ServeFlags, shape: Shape) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new().prefix("seckill-").tempdir();
        let folder = folder.context("cannot make a temporary folder for the spawned server")?;
        let port = if shape.restarts { free_port()? } else { 0 };
        let data = flags.data.get_or_insert_with(|| folder.path().join("disk/data")).clone();
        flags.listen.get_or_insert_with(|| format!("127.0.0.1:{port}"));
        flags.log.get_or_insert_with(|| "warn".into());
        let random_token = || Secret(RequestId::random().to_string());
        let admin_token = flags.admin_token.get_or_insert_with(random_token).clone();
        let consumer = shape.has_consumer.then(|| {
            let (role, listen) = (Some(Role::Consumer), Some("127.0.0.1:0".into()));
            let data = Some(folder.path().join("consumer"));
            ServeFlags { role, listen, data, fresh_sale: None, ..flags.clone() }
        });
        flags.role = consumer.as_ref().map(|_| Role::Api).or(flags.role);
        let path = |name: &str| folder.path().join(name);
        let (variables, log) = (environment(&flags)?, path("server.log"));
        let disk = shape.has_small_disk.then(|| small_disk(&data)).transpose()?;
        let server =
            ServerProcess::new("spawned server", (log, data), variables, Some(folder.path()))?
                .on(disk);
        let server = Arc::new(server);
        let url = server.launch()?;
        let consumer = consumer.map(|flags| {
            let (variables, log) = (environment(&flags)?, path("consumer.log"));
            let data = path("consumer");
            let consumer = ServerProcess::new("spawned consumer", (log, data), variables, None)?;
            consumer.launch().map(|_| Arc::new(consumer))
        });
        let consumer = consumer.transpose()?;
        Ok(Self { server, consumer, url, admin_token, _folder: folder })
    }

    /// Its process id.
    pub(super) fn pid(&self) -> Option<i32> {
        self.server.pid()
    }

    /// Resolves when it has ended unexpectedly.
    pub(super) async fn died(&self) {
        // `check_alive` reports the reason.
        match &self.consumer {
            Some(consumer) => tokio::select! {
                () = self.server.died() => {}
                () = consumer.died() => {}
            },
            None => self.server.died().await,
        }
    }

    /// An error if it has ended unexpectedly.
    pub(super) fn check_alive(&self) -> anyhow::Result<()> {
        self.processes().try_for_each(ServerProcess::check_alive)
    }

    /// Shuts it down gracefully; kills it if it does not end in time.
    pub(super) async fn stop(self) -> anyhow::Result<()> {
        for process in self.processes() {
            process.stop().await?;
        }
        Ok(())
    }

    fn processes(&self) -> impl Iterator<Item = &ServerProcess> {
        std::iter::once(&*self.server).chain(self.consumer.as_deref())
    }
}

/// A small disk for the data of a server. The data has a folder of its own in it.
fn small_disk(data: &Path) -> anyhow::Result<SmallDisk> {
    let folder = data.parent().context("the folder of the data has no parent")?;
    std::fs::create_dir_all(folder)?;
    SmallDisk::mount(folder).context("a fault of the disk needs a small one for the server")
}

/// The flags as environment variables, because every user of the machine can read a command line.
fn environment(flags: &ServeFlags) -> anyhow::Result<Vec<(String, String)>> {
    let Value::Object(flags) = serde_json::to_value(flags)? else {
        bail!("flags are not an object");
    };
    let given = flags.into_iter().filter(|(_, value)| !value.is_null());
    let variables = given.map(|(flag, value)| {
        let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let value = match &value {
            Value::Array(several) => several.iter().map(text).collect::<Vec<_>>().join(","),
            one => text(one),
        };
        (env_name(&flag), value)
    });
    Ok(variables.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_become_variables() {
        let flags = ServeFlags { listen: Some("[::1]:80".into()), ..ServeFlags::default() };
        let expected = [("SECKILL_LISTEN".to_owned(), "[::1]:80".to_owned())];
        assert_eq!(environment(&flags).unwrap(), expected);
    }
}
