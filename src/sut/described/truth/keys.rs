//! Reading keys of a Redis in pieces, by commands that change nothing; and deleting some.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use redis::{Pipeline, Value};

use super::connection::{Connection, list, pairs, text, too_large};
use super::error::Problem;
use super::format::too_many;
use super::limits::{PIECE_LEN, RECORDS_MAX, TOTAL_LEN_MAX};
use super::record::Record;

/// Records that are collected until a bound.
#[derive(Default)]
pub(super) struct Bounded {
    pub(super) records: Vec<Record>,
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

/// The problem of a key that has a type of a module.
pub(super) fn unknown_type(kind: &str) -> Problem {
    let kind = crate::escape::printable(kind);
    Problem::lasting(format!("the key is a {kind}, which cannot be read: use a `command`"))
}

/// Reads a key by its type. Returns the number of pieces.
pub(super) async fn one_key(
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

/// Whether a key is a pattern, which stands for several keys.
pub(super) fn is_pattern(key: &str) -> bool {
    key.contains('*')
}

/// The keys that match a pattern.
pub(super) async fn matching(
    connection: &mut Connection<'_>,
    pattern: &str,
) -> Result<Vec<String>, Problem> {
    let mut keys = BTreeSet::new();
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
    Ok(keys.into_iter().collect())
}

/// Deletes the keys that match a pattern.
pub(super) async fn delete_matching(
    connection: &mut Connection<'_>,
    pattern: &str,
) -> Result<(), Problem> {
    let keys = matching(connection, pattern).await?;
    for piece in keys.chunks(PIECE_LEN) {
        connection.ask(redis::cmd("DEL").arg(piece)).await?;
    }
    Ok(())
}

/// Reads the hashes and strings whose keys match a pattern.
pub(super) async fn scan_keys(
    connection: &mut Connection<'_>,
    pattern: &str,
    found: &mut Bounded,
) -> Result<usize, Problem> {
    let keys = matching(connection, pattern).await?;
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
