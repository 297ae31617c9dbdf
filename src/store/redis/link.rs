//! The connection to Redis: one per process, reopened whenever a command finds it broken.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::io::tcp::TcpSettings;
use redis::{
    Client, Cmd, ConnectionInfo, ErrorKind, FromRedisValue, IntoConnectionInfo, ScriptInvocation,
    ServerErrorKind,
};

use crate::ids::ItemId;
use crate::secret::EngineUrl;

use super::super::StoreError;
use super::keys::{EPOCHS, ITEMS, item_of_epoch};

/// How long a connection may take to open.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// How long the server may take to answer: enough for a large batch on a slow disk.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(3);

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address is not a Redis address.
    #[error("--store: not a Redis address: write redis://user:password@host:6379/0 ({0})")]
    Address(String),
    /// The server does not answer, or is not Redis.
    #[error(
        "cannot use the store at {url}: {problem}; start Redis there, give another --store, or run \
         under `seckill lab --`"
    )]
    Server {
        /// The server's address, without credentials.
        url: String,
        /// The client's error, explained.
        problem: String,
    },
}

/// The kind of a command: a failed write may have had an effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

/// The connection of the process to Redis.
#[derive(Debug, Clone)]
pub(super) struct Link {
    manager: ConnectionManager,
    /// Whether the last command was answered.
    answers: Arc<AtomicBool>,
    /// The items that were on sale when the list was read last.
    items: Arc<RwLock<Vec<ItemId>>>,
}

impl Link {
    pub(super) async fn open(url: &EngineUrl) -> Result<Self, OpenError> {
        let address = |error: redis::RedisError| OpenError::Address(error.to_string());
        let info: ConnectionInfo = url.expose().into_connection_info().map_err(address)?;
        let info = info.set_tcp_settings(TcpSettings::default().set_nodelay(true));
        let problem = |error: redis::RedisError| {
            let problem = match error.kind() {
                ErrorKind::Parse | ErrorKind::UnexpectedReturnType => {
                    "what answers there is not Redis".to_owned()
                }
                _ => error.to_string(),
            };
            OpenError::Server { url: url.to_string(), problem }
        };
        let client = Client::open(info).map_err(problem)?;
        // A command that finds no connection tries once to open one: its caller gets the error at
        // once, and the next command tries again.
        let config = ConnectionManagerConfig::new()
            .set_number_of_retries(0)
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(ANSWER_TIMEOUT));
        let mut manager =
            ConnectionManager::new_with_config(client, config).await.map_err(problem)?;
        // A first command finds problems that connecting does not: a password, keys of another
        // type.
        let mut first = redis::cmd("SMEMBERS");
        let () = first.arg(ITEMS).query_async(&mut manager).await.map_err(problem)?;
        Ok(Self { manager, answers: Arc::new(AtomicBool::new(true)), items: Arc::default() })
    }

    /// Whether the last command was answered.
    pub(super) fn answers(&self) -> bool {
        self.answers.load(Ordering::Relaxed)
    }

    /// Runs a script, and loads it if the server does not have it.
    pub(super) async fn run<T: FromRedisValue>(
        &self,
        script: &ScriptInvocation<'_>,
        access: Access,
    ) -> Result<T, StoreError> {
        let answer = script.invoke_async(&mut self.manager.clone()).await;
        self.checked(answer, access)
    }

    /// Sends a command that only reads.
    pub(super) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        let answer = command.query_async(&mut self.manager.clone()).await;
        self.checked(answer, Access::Read)
    }

    /// Sends several commands at once.
    pub(super) async fn send<T: FromRedisValue>(
        &self,
        commands: &redis::Pipeline,
        access: Access,
    ) -> Result<T, StoreError> {
        let answer = commands.query_async(&mut self.manager.clone()).await;
        self.checked(answer, access)
    }

    fn checked<T>(&self, answer: redis::RedisResult<T>, access: Access) -> Result<T, StoreError> {
        let answered = answer.is_ok();
        if self.answers.swap(answered, Ordering::Relaxed) != answered {
            match &answer {
                Ok(_) => tracing::info!("the store answers again"),
                Err(error) => tracing::warn!(%error, "the store does not answer"),
            }
        }
        answer.map_err(|error| match access {
            // A write that was refused before it started had no effect.
            Access::Write if !is_refusal(&error) => StoreError::Unknown,
            _ => StoreError::Unavailable,
        })
    }

    /// Every item that was ever on sale.
    pub(super) async fn items(&self) -> Result<Vec<ItemId>, StoreError> {
        let mut members = redis::cmd("SMEMBERS");
        let names: Vec<String> = self.ask(members.arg(ITEMS)).await?;
        let mut items: Vec<ItemId> = names.iter().filter_map(|name| name.parse().ok()).collect();
        items.sort_unstable();
        self.items.write().unwrap_or_else(PoisonError::into_inner).clone_from(&items);
        Ok(items)
    }

    /// Whether another item was on sale when the list was read last.
    pub(super) fn other_items_exist(&self, item: &ItemId) -> bool {
        let items = self.items.read().unwrap_or_else(PoisonError::into_inner);
        items.iter().any(|other| other != item)
    }

    /// Assigns the next epoch, and registers the item under it. In this order, so that a sale that
    /// is visible can be found by its epoch.
    pub(super) async fn register_sale(&self, item: &ItemId) -> Result<u64, StoreError> {
        let mut count = redis::pipe();
        let (epoch,): (u64,) = self.send(count.cmd("INCR").arg(EPOCHS), Access::Write).await?;
        let mut register = redis::pipe();
        register.cmd("SET").arg(item_of_epoch(epoch)).arg(item.as_str()).ignore();
        register.cmd("SADD").arg(ITEMS).arg(item.as_str()).ignore();
        let () = self.send(&register, Access::Write).await?;
        self.items().await?;
        Ok(epoch)
    }

    /// The item of a sale.
    pub(super) async fn item_of(&self, epoch: u64) -> Result<Option<ItemId>, StoreError> {
        let mut get = redis::cmd("GET");
        let name: Option<String> = self.ask(get.arg(item_of_epoch(epoch))).await?;
        Ok(name.and_then(|name| name.parse().ok()))
    }
}

/// Whether the command had no effect: there was no connection, or the server refused it before it
/// started (out of memory, a replica, still loading).
fn is_refusal(error: &redis::RedisError) -> bool {
    // A plain ERR may come from the middle of a script.
    let refused = match error.kind() {
        ErrorKind::Server(kind) => kind != ServerErrorKind::ResponseError,
        kind => kind == ErrorKind::Extension,
    };
    error.is_connection_refusal() || refused
}
