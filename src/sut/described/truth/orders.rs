//! `[truth.orders]`: where the orders of the tested system are.

use std::time::Duration;

use toml::Spanned;

use crate::history::{Found, Tells};
use crate::sut::described::wrong::Wrong;

use super::around::Read;
use super::check::{self, Key, at};
use super::command::Command;
use super::error::Problem;
use super::format::{Format, columns};
use super::limits::READINGS_MAX;
use super::mapping::{Mapping, Shape};
use super::pages::{self, Pages};
use super::record::Record;
use super::redis::Redis;
use super::sql::Sql;
use super::tables::OrdersTable;

/// A source of records.
#[derive(Debug)]
enum Source {
    Pages(Pages),
    Redis(Redis),
    Sql(Sql),
    Command { command: Command, format: Format, list: Box<str> },
}

/// Where the orders are, and how records become orders.
#[derive(Debug)]
pub(super) struct Orders {
    source: Source,
    mapping: Mapping,
    pub(super) limit: Duration,
}

impl Orders {
    pub(super) fn new(table: &Spanned<OrdersTable>) -> Result<Self, Wrong> {
        let (table_at, table) = (table.span().start, table.get_ref());
        let kinds = [
            ("http", at(table.http.as_ref())),
            ("redis", at(table.redis.as_ref())),
            ("sql", at(table.sql.as_ref())),
            ("command", at(table.command.as_ref())),
        ];
        check::kind(table_at, &kinds, &keys(table))?;
        let (source, shape) = source(table)?;
        let mapping = Mapping::new(table, shape)?;
        Ok(Self { source, mapping, limit: check::timeout(table.timeout.as_ref())? })
    }

    pub(super) fn tells(&self, found: &[Found]) -> Tells {
        self.mapping.tells(found)
    }

    /// Whether the description says which records count.
    pub(super) fn selects(&self) -> bool {
        self.mapping.selects()
    }

    /// Reads the orders. A list of several pieces may change between them, so that an order is seen
    /// twice or not at all; it is read until two readings in a row are the same.
    pub(super) async fn read(&self, read: &Read<'_>) -> Result<Vec<Found>, Problem> {
        let mut before: Option<Vec<Found>> = None;
        for _ in 0..READINGS_MAX {
            let (records, pieces) = self.records(read).await?;
            let orders = self.mapping.orders(&records)?;
            self.mapping.check_places(&records, &orders)?;
            if pieces <= 1 || before.as_ref() == Some(&orders) {
                return Ok(orders);
            }
            before = Some(orders);
        }
        Err(Problem::passing(format!(
            "the list has changed during each of {READINGS_MAX} readings: is the shop still \
             working on orders, or is the list without a fixed order?"
        )))
    }

    /// The orders in one body or output. What Redis sends has no format of its own.
    pub(super) fn of_body(&self, body: &[u8]) -> Result<Vec<Found>, Problem> {
        let records = match &self.source {
            Source::Pages(pages) => pages.page(body)?.0,
            Source::Sql(_) => Format::Csv.records(body, "")?,
            Source::Command { format, list, .. } => self.of_output(body, *format, list)?,
            Source::Redis(_) => Format::Lines.records(body, "")?,
        };
        let orders = self.mapping.orders(&records)?;
        self.mapping.check_places(&records, &orders)?;
        Ok(orders)
    }

    async fn records(&self, read: &Read<'_>) -> Result<(Vec<Record>, usize), Problem> {
        match &self.source {
            Source::Pages(pages) => pages.records(read).await,
            Source::Redis(redis) => redis.records(read).await,
            Source::Sql(sql) => Ok((sql.records(read).await?, 1)),
            Source::Command { command, format, list } => {
                let output = command.output(read).await?;
                Ok((self.of_output(&output, *format, list)?, 1))
            }
        }
    }

    fn of_output(&self, body: &[u8], format: Format, list: &str) -> Result<Vec<Record>, Problem> {
        self.mapping.check_columns(&columns(format, body))?;
        format.records(body, list)
    }
}

/// Keys that only some kinds of source take.
fn keys(table: &OrdersTable) -> [Key; 9] {
    [
        ("headers", at(table.headers.as_ref()), &["http"]),
        ("body", at(table.body.as_ref()), &["http"]),
        ("json", at(table.json.as_ref()), &["http"]),
        ("list", at(table.list.as_ref()), &["http", "command"]),
        ("first_page", at(table.first_page.as_ref()), &["http"]),
        ("next", at(table.next.as_ref()), &["http"]),
        ("key", at(table.key.as_ref()), &["redis"]),
        ("database", at(table.database.as_ref()), &["sql"]),
        ("format", at(table.format.as_ref()), &["http", "command"]),
    ]
}

fn shape(format: Format) -> Shape {
    match format {
        Format::Json | Format::Ndjson => Shape::Json,
        Format::Csv | Format::Tsv => Shape::Columns,
        Format::Lines => Shape::Lines,
    }
}

fn source(table: &OrdersTable) -> Result<(Source, Shape), Wrong> {
    let given = table.format.as_ref().map(|format| *format.get_ref());
    if let Some(request) = &table.http {
        let format = given.unwrap_or(Format::Json);
        return Ok((Source::Pages(Pages::new(request, table, format)?), shape(format)));
    }
    if let Some(address) = &table.redis {
        let redis = Redis::new(address, table.key.as_ref())?;
        return Ok((Source::Redis(redis), Shape::Entries));
    }
    if let Some(query) = &table.sql {
        return Ok((Source::Sql(Sql::new(query, table.database.as_ref())?), Shape::Columns));
    }
    let Some(words) = &table.command else {
        return Err(Wrong::at(0, "names no source"));
    };
    let Some(format) = given else {
        let problem = "needs `format`: write \"ndjson\", \"json\", \"csv\", \"tsv\" or \"lines\"";
        return Err(Wrong::of(words, problem));
    };
    let list = pages::pointer(table.list.as_ref(), format)?;
    Ok((Source::Command { command: Command::new(words)?, format, list }, shape(format)))
}
