//! Keys of a Redis, read in pieces by commands that change nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, Cmd, Pipeline, RedisError, Value};
use reqwest::Url;
use toml::Spanned;

use crate::sut::described::text::{Text, percent_encoded};
use crate::sut::described::wrong::Wrong;

use super::around::{ENV, Read};
use super::check;
use super::error::Problem;
use super::format::too_many;
use super::limits::{PIECE_LEN, RECORDS_MAX, TOTAL_LEN_MAX};
use super::record::Record;
use super::sql::decoded;

/// The forms of a server's address.
const ADDRESSES: &str = "redis://user:password@host:6379/0 or unix:///path/to/socket";

/// The address of a server.
#[derive(Debug)]
pub(super) struct Server(Text);

/// A key, or several by a pattern.
#[derive(Debug)]
pub(super) struct Redis {
    server: Server,
    key: Text,
    is_pattern: bool,
}

/// A connection whose commands are part of a read.
pub(super) struct Connection<'a> {
    connection: MultiplexedConnection,
    read: &'a Read<'a>,
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

    async fn ask_all(&mut self, commands: &Pipeline) -> Result<Vec<Value>, Problem> {
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
    async fn check_size(&mut self, key: &str) -> Result<(), Problem> {
        let bytes = self.ask(redis::cmd("MEMORY").arg("USAGE").arg(key)).await;
        match bytes {
            Ok(Value::Int(bytes)) if bytes > TOTAL_LEN_MAX as i64 => Err(too_large()),
            _ => Ok(()),
        }
    }
}

fn too_large() -> Problem {
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

fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(values) | Value::Set(values) => values,
        Value::Map(pairs) => pairs.into_iter().flat_map(|(key, value)| [key, value]).collect(),
        _ => Vec::new(),
    }
}

/// Neighbours, two by two.
fn pairs(value: Value) -> Vec<(String, String)> {
    let mut values = list(value).into_iter().map(text);
    std::iter::from_fn(|| Some((values.next()?, values.next()?))).collect()
}

/// Records that are collected until a bound.
#[derive(Default)]
struct Bounded {
    records: Vec<Record>,
    len: usize,
}

impl Bounded {
    fn add(&mut self, record: Record) -> Result<(), Problem> {
        let values = record.values.iter().map(String::len).sum::<usize>();
        self.len += values + record.text.as_ref().map_or(0, String::len);
        self.records.push(record);
        match (self.records.len() > RECORDS_MAX, self.len > TOTAL_LEN_MAX) {
            (true, _) => Err(too_many()),
            (_, true) => Err(too_large()),
            _ => Ok(()),
        }
    }
}

/// A record with these columns.
fn columns(pairs: Vec<(String, String)>) -> Record {
    let (names, values): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
    let names: Arc<[Box<str>]> = names.into_iter().map(String::into_boxed_str).collect();
    Record::default().with(names, values)
}

impl Redis {
    pub(super) fn new(
        address: &Spanned<String>,
        key: Option<&Spanned<String>>,
    ) -> Result<Self, Wrong> {
        let Some(key) = key else {
            return Err(Wrong::of(address, "needs `key`: the name of the key that has the data"));
        };
        let is_pattern = key.get_ref().contains('*');
        Ok(Self { server: Server::new(address)?, key: check::text(key, false)?, is_pattern })
    }

    /// All records of the key, or of the keys.
    pub(super) async fn records(&self, read: &Read<'_>) -> Result<(Vec<Record>, usize), Problem> {
        let key = read.expand(&self.key, None, str::to_owned)?;
        let mut connection = self.server.connect(read).await?;
        let mut found = Bounded::default();
        let pieces = match self.is_pattern {
            true => scan_keys(&mut connection, &key, &mut found).await?,
            false => one_key(&mut connection, &key, &mut found).await?,
        };
        Ok((found.records, pieces))
    }

    /// The number in a key, or how many elements it has; `None` if it is missing.
    pub(super) async fn number(
        &self,
        read: &Read<'_>,
        field: Option<&Text>,
    ) -> Result<Option<String>, Problem> {
        let key = read.expand(&self.key, None, str::to_owned)?;
        let mut connection = self.server.connect(read).await?;
        if self.is_pattern {
            let mut found = Bounded::default();
            scan_keys(&mut connection, &key, &mut found).await?;
            return Ok(Some(found.records.len().to_string()));
        }
        let kind = connection.type_of(&key).await?;
        let command = match (&*kind, field) {
            ("none", _) => return Ok(None),
            ("hash", Some(field)) => {
                let field = read.expand(field, None, str::to_owned)?;
                redis::cmd("HGET").arg(key).arg(field).to_owned()
            }
            (kind, Some(_)) => {
                let problem = format!("the key is a {kind}, and only a hash has a `field`");
                return Err(Problem::lasting(problem));
            }
            ("string", _) => redis::cmd("GETRANGE").arg(key).arg(0).arg(63).to_owned(),
            ("list", _) => redis::cmd("LLEN").arg(key).to_owned(),
            ("set", _) => redis::cmd("SCARD").arg(key).to_owned(),
            ("zset", _) => redis::cmd("ZCARD").arg(key).to_owned(),
            ("hash", _) => redis::cmd("HLEN").arg(key).to_owned(),
            ("stream", _) => redis::cmd("XLEN").arg(key).to_owned(),
            (kind, _) => return Err(unknown_type(kind)),
        };
        Ok(match connection.ask(&command).await? {
            Value::Nil => None,
            value => Some(text(value)),
        })
    }
}

fn unknown_type(kind: &str) -> Problem {
    let kind = crate::escape::printable(kind);
    Problem::lasting(format!("the key is a {kind}, which cannot be read: use a `command`"))
}

/// Reads a key by its type. Returns the number of pieces.
async fn one_key(
    connection: &mut Connection<'_>,
    key: &str,
    found: &mut Bounded,
) -> Result<usize, Problem> {
    connection.check_size(key).await?;
    match &*connection.type_of(key).await? {
        "none" => Ok(1),
        "string" => {
            let value = text(connection.ask(redis::cmd("GET").arg(key)).await?);
            found.add(Record::of_text(value))?;
            Ok(1)
        }
        "list" => list_elements(connection, key, found).await,
        "stream" => stream_entries(connection, key, found).await,
        "set" => scan(connection, ("SSCAN", ["member", ""]), key, found).await,
        "zset" => scan(connection, ("ZSCAN", ["member", "score"]), key, found).await,
        "hash" => scan(connection, ("HSCAN", ["field", "value"]), key, found).await,
        kind => Err(unknown_type(kind)),
    }
}

async fn list_elements(
    connection: &mut Connection<'_>,
    key: &str,
    found: &mut Bounded,
) -> Result<usize, Problem> {
    for piece in 0.. {
        let (first, last) = (piece * PIECE_LEN, (piece + 1) * PIECE_LEN - 1);
        let elements =
            list(connection.ask(redis::cmd("LRANGE").arg(key).arg(first).arg(last)).await?);
        let len = elements.len();
        for element in elements {
            found.add(Record::of_text(text(element)))?;
        }
        if len < PIECE_LEN {
            return Ok(piece + 1);
        }
    }
    Ok(0)
}

async fn stream_entries(
    connection: &mut Connection<'_>,
    key: &str,
    found: &mut Bounded,
) -> Result<usize, Problem> {
    let mut from = "-".to_owned();
    for piece in 1.. {
        let mut range = redis::cmd("XRANGE");
        let entries =
            connection.ask(range.arg(key).arg(&from).arg("+").arg("COUNT").arg(PIECE_LEN));
        let entries = list(entries.await?);
        let len = entries.len();
        for entry in entries {
            let mut entry = list(entry).into_iter();
            let (Some(id), Some(fields)) = (entry.next(), entry.next()) else { continue };
            let id = text(id);
            from = format!("({id}");
            let mut columns_of = pairs(fields);
            columns_of.push(("id".to_owned(), id));
            found.add(columns(columns_of))?;
        }
        if len < PIECE_LEN {
            return Ok(piece);
        }
    }
    Ok(0)
}

/// Reads a set, sorted set or hash. A scan may return an element twice, and in any order.
async fn scan(
    connection: &mut Connection<'_>,
    (command, names): (&str, [&str; 2]),
    key: &str,
    found: &mut Bounded,
) -> Result<usize, Problem> {
    let is_set = names[1].is_empty();
    let mut elements = BTreeMap::new();
    let mut cursor = "0".to_owned();
    let mut pieces = 0;
    loop {
        let mut scan = redis::cmd(command);
        let answer = connection.ask(scan.arg(key).arg(&cursor).arg("COUNT").arg(PIECE_LEN));
        let mut answer = list(answer.await?).into_iter();
        cursor = answer.next().map(text).unwrap_or_default();
        let piece = answer.next().unwrap_or(Value::Nil);
        match is_set {
            true => elements.extend(list(piece).into_iter().map(|value| (text(value), None))),
            false => elements.extend(pairs(piece).into_iter().map(|(a, b)| (a, Some(b)))),
        }
        pieces += 1;
        if elements.len() > RECORDS_MAX {
            return Err(too_many());
        }
        if matches!(&*cursor, "0" | "") {
            break;
        }
    }
    let names: Arc<[Box<str>]> = names.map(Into::into).into();
    for (element, value) in elements {
        let is_hash = command == "HSCAN";
        let whole = value.clone().filter(|_| is_hash).unwrap_or_else(|| element.clone());
        let values = [element, value.unwrap_or_default()].into();
        found.add(Record::of_text(whole).with(Arc::clone(&names), values))?;
    }
    Ok(pieces)
}

/// Reads the hashes and strings whose keys match a pattern.
async fn scan_keys(
    connection: &mut Connection<'_>,
    pattern: &str,
    found: &mut Bounded,
) -> Result<usize, Problem> {
    let mut keys = std::collections::BTreeSet::new();
    let mut cursor = "0".to_owned();
    loop {
        let mut scan = redis::cmd("SCAN");
        scan.arg(&cursor).arg("MATCH").arg(pattern).arg("COUNT").arg(PIECE_LEN);
        let mut answer = list(connection.ask(&scan).await?).into_iter();
        cursor = answer.next().map(text).unwrap_or_default();
        keys.extend(answer.next().map(list).unwrap_or_default().into_iter().map(text));
        if keys.len() > RECORDS_MAX {
            return Err(too_many());
        }
        if matches!(&*cursor, "0" | "") {
            break;
        }
    }
    let keys: Vec<String> = keys.into_iter().collect();
    for piece in keys.chunks(PIECE_LEN) {
        let mut types = Pipeline::with_capacity(piece.len());
        piece.iter().for_each(|key| {
            types.cmd("TYPE").arg(key);
        });
        let types: Vec<_> = connection.ask_all(&types).await?.into_iter().map(text).collect();
        let mut values = Pipeline::with_capacity(piece.len());
        for (key, kind) in piece.iter().zip(&types) {
            match &**kind {
                "hash" => values.cmd("HGETALL").arg(key),
                // It may have expired since the scan, and is read as nil then.
                "string" | "none" => values.cmd("GET").arg(key),
                kind => {
                    let (key, kind) = (connection.read.shown(key), connection.read.shown(kind));
                    let cure = "narrow `key` to hashes and strings";
                    return Err(Problem::lasting(format!("the key `{key}` is a {kind}: {cure}")));
                }
            };
        }
        let values = connection.ask_all(&values).await?;
        for ((key, kind), value) in piece.iter().zip(types).zip(values) {
            let key = ("key".to_owned(), key.clone());
            match (&*kind, value) {
                ("hash", value) => {
                    let mut fields = pairs(value);
                    fields.push(key);
                    found.add(columns(fields))?;
                }
                (_, Value::Nil) => {}
                (_, value) => {
                    let record = Record::of_text(text(value));
                    let columns = columns([key].into());
                    found.add(record.with(columns.names, columns.values))?;
                }
            }
        }
    }
    Ok(keys.len().div_ceil(PIECE_LEN))
}
