//! A connection to a Redis, and the forms of its answers.

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, Pipeline, RedisError, Value};
use reqwest::Url;
use toml::Spanned;

use crate::sut::described::secrets::ENV;
use crate::sut::described::text::{Text, percent_encoded};
use crate::sut::described::wrong::Wrong;

use super::around::Read;
use super::check;
use super::error::Problem;
use super::limits::TOTAL_LEN_MAX;
use super::sql::decoded;

/// The forms of a server's address.
const ADDRESSES: &str = "redis://user:password@host:6379/0 or unix:///path/to/socket";

/// The address of a server.
#[derive(Debug)]
pub(super) struct Server(Text);

/// A connection whose commands are part of a read.
pub(super) struct Connection<'a> {
    connection: MultiplexedConnection,
    pub(super) read: &'a Read<'a>,
}

impl Server {
    pub(super) fn new(address: &Spanned<String>) -> Result<Self, Wrong> {
        let text = check::text(address, false)?;
        let given = address.get_ref();
        if given.starts_with("rediss://") && !cfg!(feature = "tls") {
            let cure = "rediss:// needs a build with TLS: cargo build --release --features tls";
            return Err(Wrong::of(address, cure));
        }
        let schemes = ["redis://", "rediss://", "unix://", "redis+unix://"];
        let is_secret = text.only_name().is_some_and(|name| name.starts_with(ENV));
        if !is_secret && !schemes.iter().any(|scheme| given.starts_with(scheme)) {
            return Err(Wrong::of(address, format!("is no Redis address: write {ADDRESSES}")));
        }
        Ok(Self(text))
    }

    pub(super) async fn connect<'a>(&self, read: &'a Read<'a>) -> Result<Connection<'a>, Problem> {
        let address = read.expand(&self.0, None, percent_encoded)?;
        if let Ok(url) = Url::parse(&address) {
            let query = url.query_pairs().filter(|(name, _)| name == "pass" || name == "password");
            let query: Vec<_> = query.map(|(_, value)| value.into_owned()).collect();
            query.iter().for_each(|password| read.hide(password));
            url.password().into_iter().for_each(|password| read.hide(&decoded(password)));
        }
        let client = Client::open(address).map_err(|error| {
            Problem::lasting(format!(
                "is no Redis address: write {ADDRESSES} ({})",
                read.shown(&error.to_string())
            ))
        })?;
        // Each step has a time limit of ours, so the client needs none.
        let config = AsyncConnectionConfig::new().set_connection_timeout(None);
        let config = config.set_response_timeout(None);
        let opening = client.get_multiplexed_async_connection_with_config(&config);
        let opened = tokio::time::timeout(read.limit(), opening).await;
        let opened = opened.map_err(|_| read.timed_out("the connection to Redis"))?;
        let connection = opened.map_err(|error| explain(read, &error))?;
        Ok(Connection { connection, read })
    }
}

/// The problem behind an error of the client.
fn explain(read: &Read<'_>, error: &RedisError) -> Problem {
    let text = error.to_string();
    let shown = format!("Redis: {}", read.shown(&text));
    let of_login = ["NOAUTH", "WRONGPASS", "NOPERM", "AuthenticationFailed"];
    if of_login.iter().any(|word| text.contains(word)) {
        let cure = "write the user and the password as redis://user:password@host:6379/0";
        return Problem::lasting(format!("{shown}: {cure}"));
    }
    Problem::passing(shown)
}

impl Connection<'_> {
    pub(super) async fn ask(&mut self, command: &Cmd) -> Result<Value, Problem> {
        let asking = command.query_async::<Value>(&mut self.connection);
        let answered = tokio::time::timeout(self.read.limit(), asking).await;
        let answered = answered.map_err(|_| self.read.timed_out("a command of Redis"))?;
        answered.map_err(|error| explain(self.read, &error))
    }

    pub(super) async fn ask_all(&mut self, commands: &Pipeline) -> Result<Vec<Value>, Problem> {
        let asking = commands.query_async::<Vec<Value>>(&mut self.connection);
        let answered = tokio::time::timeout(self.read.limit(), asking).await;
        let answered = answered.map_err(|_| self.read.timed_out("a command of Redis"))?;
        answered.map_err(|error| explain(self.read, &error))
    }

    /// The type of a key: `none` if it is missing.
    pub(super) async fn type_of(&mut self, key: &str) -> Result<String, Problem> {
        Ok(text(self.ask(redis::cmd("TYPE").arg(key)).await?))
    }

    /// Refuses a key that would not fit into memory. A server that does not tell is believed.
    pub(super) async fn check_size(&mut self, key: &str) -> Result<(), Problem> {
        let bytes = self.ask(redis::cmd("MEMORY").arg("USAGE").arg(key)).await;
        match bytes {
            Ok(Value::Int(bytes)) if bytes > TOTAL_LEN_MAX as i64 => Err(too_large()),
            _ => Ok(()),
        }
    }
}

/// The problem of a key that would not fit into memory.
pub(super) fn too_large() -> Problem {
    Problem::lasting(format!("the key has more than {} MiB", TOTAL_LEN_MAX >> 20))
}

/// The text of an answer; empty for nil.
pub(super) fn text(value: Value) -> String {
    match value {
        Value::BulkString(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
        Value::SimpleString(text) => text,
        Value::Int(number) => number.to_string(),
        Value::Double(number) => number.to_string(),
        Value::Okay => "OK".to_owned(),
        _ => String::new(),
    }
}

/// The elements of an answer.
pub(super) fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(values) | Value::Set(values) => values,
        Value::Map(pairs) => pairs.into_iter().flat_map(|(key, value)| [key, value]).collect(),
        _ => Vec::new(),
    }
}

/// Neighbours, two by two.
pub(super) fn pairs(value: Value) -> Vec<(String, String)> {
    let mut values = list(value).into_iter().map(text);
    std::iter::from_fn(|| Some((values.next()?, values.next()?))).collect()
}
