//! `[truth.stock]` and `[truth.queued]`: one number of the tested system.

use std::time::Duration;

use regex::Regex;
use serde_json::Value;
use toml::Spanned;

use crate::escape::printable;
use crate::sut::described::matcher::{check_pointer, regex, scalar_text};
use crate::sut::described::text::Text;
use crate::sut::described::wrong::Wrong;

use super::around::Read;
use super::check::{self, Key, at};
use super::command::Command;
use super::error::Problem;
use super::format;
use super::http::{Http, Keys};
use super::redis::Redis;
use super::sql::Sql;
use super::tables::NumberTable;

/// Where the number is in a body or output.
#[derive(Debug)]
enum Place {
    /// It is all of it.
    Whole,
    /// At a pointer into the document.
    Json(Box<str>),
    /// The first group of a pattern, or all that it matches.
    Text(Regex),
}

/// A source of one number.
#[derive(Debug)]
enum Source {
    Http(Http, Place),
    Redis(Redis, Option<Text>),
    Sql(Sql),
    Command(Command, Place),
}

/// A number of the tested system.
#[derive(Debug)]
pub(super) struct Number {
    source: Source,
    pub(super) limit: Duration,
}

impl Number {
    pub(super) fn new(table: &Spanned<NumberTable>) -> Result<Self, Wrong> {
        let (table_at, table) = (table.span().start, table.get_ref());
        let kinds = [
            ("http", at(table.http.as_ref())),
            ("redis", at(table.redis.as_ref())),
            ("sql", at(table.sql.as_ref())),
            ("command", at(table.command.as_ref())),
        ];
        let kind = check::kind(table_at, &kinds, &keys(table))?;
        let limit = check::timeout(table.timeout.as_ref())?;
        Ok(Self { source: source(table, kind, table_at)?, limit })
    }

    /// Whether reading it costs little: it starts no program.
    pub(super) fn is_light(&self) -> bool {
        matches!(self.source, Source::Http(..) | Source::Redis(..))
    }

    /// Reads the number; `None` if there is none.
    pub(super) async fn read(&self, read: &Read<'_>) -> Result<Option<i64>, Problem> {
        let text = match &self.source {
            Source::Http(http, place) => {
                let url = http.url(read, None)?;
                let client = http.client(read, &url)?;
                Some(place.find(&http.send(read, &client, &url, None).await?)?)
            }
            Source::Redis(redis, field) => redis.number(read, field.as_ref()).await?,
            Source::Sql(sql) => {
                let records = sql.records(read).await?;
                if records.len() > 1 || records.iter().any(|record| record.values.len() > 1) {
                    let (rows, columns) = (records.len(), records[0].values.len());
                    return Err(Problem::lasting(format!(
                        "the query gives {rows} rows of {columns} columns, and one number is \
                         wanted: add a `where`, or sum them up"
                    )));
                }
                let first = records.first().and_then(|record| record.values.first());
                first.filter(|value| !value.is_empty()).cloned()
            }
            Source::Command(command, place) => Some(place.find(&command.output(read).await?)?),
        };
        text.map(|text| number(&text)).transpose()
    }

    /// The number in a body or output.
    pub(super) fn of_body(&self, body: &[u8]) -> Result<i64, Problem> {
        let text = match &self.source {
            Source::Http(_, place) | Source::Command(_, place) => place.find(body)?,
            Source::Redis(..) | Source::Sql(_) => String::from_utf8_lossy(body).into_owned(),
        };
        number(&text)
    }
}

impl Place {
    fn new(table: &NumberTable) -> Result<Self, Wrong> {
        match (&table.json, &table.text) {
            (Some(_), Some(text)) => Err(Wrong::of(text, "`json` is given, too: leave out one")),
            (Some(pointer), None) => {
                check_pointer(pointer.get_ref()).map_err(|p| Wrong::of(pointer, p))?;
                Ok(Self::Json(pointer.get_ref().as_str().into()))
            }
            (None, Some(pattern)) => {
                let given = pattern.get_ref().trim_start_matches("regex ");
                regex(given).map(Self::Text).map_err(|problem| Wrong::of(pattern, problem))
            }
            (None, None) => Ok(Self::Whole),
        }
    }

    fn find(&self, body: &[u8]) -> Result<String, Problem> {
        let text = || String::from_utf8_lossy(body);
        match self {
            Self::Whole => Ok(text().into_owned()),
            Self::Json(pointer) => {
                let document = format::document(body)?;
                let value = document.pointer(pointer).unwrap_or(&Value::Null);
                scalar_text(value).ok_or_else(|| {
                    let shown = document.to_string();
                    let shown = printable(&shown);
                    Problem::lasting(format!("there is no number at `{pointer}`: {shown}"))
                })
            }
            Self::Text(pattern) => {
                let text = text();
                let groups = pattern.captures(&text);
                let found = groups.and_then(|groups| groups.get(1).or_else(|| groups.get(0)));
                let found = found.map(|found| found.as_str().to_owned());
                found.ok_or_else(|| {
                    let problem = format!("`text` does not match: {}", printable(&text));
                    Problem::lasting(problem)
                })
            }
        }
    }
}

/// A whole number, which some programs write with decimals.
fn number(text: &str) -> Result<i64, Problem> {
    let text = text.trim();
    let whole = text.split_once('.').filter(|(_, zeros)| zeros.bytes().all(|digit| digit == b'0'));
    let whole = whole.map_or(text, |(whole, _)| whole);
    whole.parse().map_err(|_| {
        let shown = printable(text);
        let cure = "let `json` or `text` say where the number is";
        Problem::lasting(format!("`{shown}` is not a whole number: {cure}"))
    })
}

/// Keys that only some kinds of source take.
fn keys(table: &NumberTable) -> [Key; 7] {
    [
        ("headers", at(table.headers.as_ref()), &["http"]),
        ("body", at(table.body.as_ref()), &["http"]),
        ("key", at(table.key.as_ref()), &["redis"]),
        ("field", at(table.field.as_ref()), &["redis"]),
        ("database", at(table.database.as_ref()), &["sql"]),
        ("json", at(table.json.as_ref()), &["http", "command"]),
        ("text", at(table.text.as_ref()), &["http", "command"]),
    ]
}

fn source(table: &NumberTable, kind: &str, table_at: usize) -> Result<Source, Wrong> {
    match (&table.http, &table.redis, &table.sql, &table.command) {
        (Some(request), ..) => {
            let (headers, body) = (table.headers.as_ref(), table.body.as_ref());
            let keys = Keys { headers, body, json: None };
            let http = Http::new(request, &keys, &["GET", "POST"], false)?;
            Ok(Source::Http(http, Place::new(table)?))
        }
        (_, Some(address), ..) => {
            let field = table.field.as_ref().map(|field| check::text(field, false)).transpose()?;
            Ok(Source::Redis(Redis::new(address, table.key.as_ref())?, field))
        }
        (_, _, Some(query), _) => Ok(Source::Sql(Sql::new(query, table.database.as_ref())?)),
        (_, _, _, Some(words)) => Ok(Source::Command(Command::new(words)?, Place::new(table)?)),
        _ => Err(Wrong::at(table_at, format!("`{kind}` names no source"))),
    }
}
