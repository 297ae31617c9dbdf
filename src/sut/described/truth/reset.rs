//! `[[reset]]`: what brings the tested system back to its state before a sale.

use std::time::Duration;

use toml::Spanned;

use crate::sut::described::matcher::scalar_text;
use crate::sut::described::text::Text;
use crate::sut::described::wrong::Wrong;

use super::around::{Around, Read};
use super::check::{self, Key, at};
use super::command::Command;
use super::connection::Server;
use super::error::{Problem, TruthError};
use super::http::{Http, Keys};
use super::keys::{delete_matching, is_pattern};
use super::sql::Sql;
use super::tables::ResetTable;

#[derive(Debug)]
enum Step {
    Request(Http),
    Command(Command),
    Sql(Sql),
    Redis { server: Server, set: Vec<(Text, Text)>, delete: Vec<Text> },
}

/// One step of a reset.
#[derive(Debug)]
pub(in crate::sut) struct Reset {
    step: Step,
    limit: Duration,
}

impl Reset {
    /// Checks a step.
    ///
    /// # Errors
    /// Returns the first mistake and where it is.
    pub(in crate::sut) fn new(table: &Spanned<ResetTable>) -> Result<Self, Wrong> {
        let (table_at, table) = (table.span().start, table.get_ref());
        let kinds = [
            ("request", at(table.request.as_ref())),
            ("command", at(table.command.as_ref())),
            ("redis", at(table.redis.as_ref())),
            ("sql", at(table.sql.as_ref())),
        ];
        let keys: [Key; 6] = [
            ("database", at(table.database.as_ref()), &["sql"]),
            ("headers", at(table.headers.as_ref()), &["request"]),
            ("body", at(table.body.as_ref()), &["request"]),
            ("json", at(table.json.as_ref()), &["request"]),
            ("set", at(table.set.as_ref()), &["redis"]),
            ("delete", at(table.delete.as_ref()), &["redis"]),
        ];
        check::kind(table_at, &kinds, &keys)?;
        let limit = check::timeout(table.timeout.as_ref())?;
        Ok(Self { step: step(table, table_at)?, limit })
    }

    /// Runs the step. It is not repeated, since it may have had an effect.
    ///
    /// # Errors
    /// Returns why it failed.
    pub(in crate::sut) async fn run(&self, around: &Around<'_>) -> Result<(), TruthError> {
        let read = Read::new(around, self.limit);
        let ran = self.step.run(&read).await;
        ran.map_err(|Problem { text, may_pass }| TruthError {
            place: "reset",
            problem: read.shown(&text),
            may_pass,
        })
    }
}

impl Step {
    async fn run(&self, read: &Read<'_>) -> Result<(), Problem> {
        match self {
            Self::Request(http) => {
                let url = http.url(read, None)?;
                let client = http.client(read, &url)?;
                http.send(read, &client, &url, None).await.map(drop)
            }
            Self::Command(command) => command.output(read).await.map(drop),
            Self::Sql(sql) => sql.records(read).await.map(drop),
            Self::Redis { server, set, delete } => {
                let mut connection = server.connect(read).await?;
                let key = |text| read.expand(text, None, str::to_owned);
                for name in delete {
                    let name = key(name)?;
                    match is_pattern(&name) {
                        true => delete_matching(&mut connection, &name).await?,
                        false => drop(connection.ask(redis::cmd("DEL").arg(name)).await?),
                    }
                }
                for (name, value) in set {
                    connection.ask(redis::cmd("SET").arg(key(name)?).arg(key(value)?)).await?;
                }
                Ok(())
            }
        }
    }
}

fn step(table: &ResetTable, table_at: usize) -> Result<Step, Wrong> {
    if let Some(request) = &table.request {
        let (headers, body) = (table.headers.as_ref(), table.body.as_ref());
        let keys = Keys { headers, body, json: table.json.as_ref() };
        let methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];
        return Ok(Step::Request(Http::new(request, &keys, &methods, false)?));
    }
    if let Some(words) = &table.command {
        return Ok(Step::Command(Command::new(words)?));
    }
    if let Some(query) = &table.sql {
        return Ok(Step::Sql(Sql::new(query, table.database.as_ref())?.writing()));
    }
    let Some(address) = &table.redis else {
        return Err(Wrong::at(table_at, "names no source"));
    };
    let mut set = Vec::new();
    for (name, value) in table.set.iter().flat_map(|set| set.get_ref()) {
        let text = scalar_text(value.get_ref());
        let text = text.ok_or_else(|| Wrong::of(value, "must be a text or a number"))?;
        let parse = |text: &str| -> Result<Text, Wrong> {
            let text = Text::parse(text).map_err(|error| Wrong::of(value, error))?;
            check::check_names(&text, value.span().start, false)?;
            Ok(text)
        };
        set.push((parse(name)?, parse(&text)?));
    }
    let delete = table.delete.iter().flat_map(|delete| delete.get_ref());
    let delete: Vec<Text> = delete.map(|key| check::text(key, false)).collect::<Result<_, _>>()?;
    if set.is_empty() && delete.is_empty() {
        let problem = "has nothing to do: add set = { key = \"value\" } or delete = [\"key\"]";
        return Err(Wrong::of(address, problem));
    }
    Ok(Step::Redis { server: Server::new(address)?, set, delete })
}
