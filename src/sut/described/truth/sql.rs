//! Queries by the command-line clients of databases: sqlite3, psql and mysql.

use reqwest::Url;
use toml::Spanned;

use crate::sut::described::secrets::ENV;
use crate::sut::described::text::{Text, percent_encoded};
use crate::sut::described::wrong::Wrong;

use super::around::Read;
use super::check;
use super::error::Problem;
use super::format::Format;
use super::limits::SQLITE_TIMEOUT;
use super::program::{self, Program};
use super::record::Record;

/// The forms of a database's address.
const ADDRESSES: &str = "sqlite:FILE, postgres://user@host/database or mysql://user@host/database";

/// A query.
#[derive(Debug)]
pub(super) struct Sql {
    query: Text,
    database: Text,
    /// Whether it may change the database.
    may_write: bool,
}

impl Sql {
    pub(super) fn new(
        query: &Spanned<String>,
        database: Option<&Spanned<String>>,
    ) -> Result<Self, Wrong> {
        let Some(database) = database else {
            return Err(Wrong::of(query, format!("needs `database`: write {ADDRESSES}")));
        };
        if query.get_ref().trim().is_empty() {
            return Err(Wrong::of(
                query,
                "has no query: write \"select uid as buyer from orders\"",
            ));
        }
        let address = check::text(database, false)?;
        let is_known = ["sqlite:", "postgres://", "postgresql://", "mysql://", "mariadb://"]
            .iter()
            .any(|scheme| database.get_ref().starts_with(scheme));
        let is_secret = address.only_name().is_some_and(|name| name.starts_with(ENV));
        if !is_known && !is_secret {
            return Err(Wrong::of(database, no_address()));
        }
        let query = check::text(query, false)?;
        Ok(Self { query, database: address, may_write: false })
    }

    /// The same, as statements that change the database.
    pub(super) fn writing(self) -> Self {
        Self { may_write: true, ..self }
    }

    /// Runs the query.
    pub(super) async fn records(&self, read: &Read<'_>) -> Result<Vec<Record>, Problem> {
        let query = read.expand(&self.query, None, |value| value.replace('\'', "''"))?;
        let address = read.expand(&self.database, None, percent_encoded)?;
        let (mut program, format) = match address.strip_prefix("sqlite:") {
            Some(file) => (sqlite(file, self.may_write), Format::Csv),
            None => {
                let url = Url::parse(&address).map_err(|_| Problem::lasting(no_address()))?;
                match url.scheme() {
                    "postgres" | "postgresql" => (postgres(read, url), Format::Csv),
                    "mysql" | "mariadb" => (mysql(read, &url), Format::Tsv),
                    _ => return Err(Problem::lasting(no_address())),
                }
            }
        };
        program.input = query;
        let output = program::run(read, program).await?;
        format.records(&output, "")
    }
}

/// The address itself may have a password, so that it is not shown.
fn no_address() -> String {
    format!("`database` is no address that is supported: write {ADDRESSES}")
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Without the user's own settings, which may change the format.
fn sqlite(file: &str, may_write: bool) -> Program {
    // A name that begins with a hyphen would be an option.
    let file = if file.starts_with('-') { format!("./{file}") } else { file.to_owned() };
    let mut words = words(&["sqlite3", "-init", "/dev/null", "-batch", "-bail", "-csv", "-header"]);
    // The shop may have it locked at this moment.
    words.extend(["-cmd".to_owned(), format!(".timeout {}", SQLITE_TIMEOUT.as_millis())]);
    words.extend((!may_write).then(|| "-readonly".to_owned()));
    words.push(file);
    Program { words, variables: Vec::new(), input: String::new(), package: Some("sqlite3") }
}

fn postgres(read: &Read<'_>, mut url: Url) -> Program {
    let mut variables = vec![("PGCONNECT_TIMEOUT", read.limit().as_secs().max(1).to_string())];
    let mut password = url.password().map(decoded);
    let parameters: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    if let Some((_, given)) = parameters.iter().find(|(name, _)| name == "password") {
        password = Some(given.clone());
        let others = parameters.iter().filter(|(name, _)| name != "password");
        let others = others
            .map(|(name, value)| format!("{}={}", percent_encoded(name), percent_encoded(value)));
        let others = others.collect::<Vec<_>>().join("&");
        url.set_query((!others.is_empty()).then_some(&*others));
    }
    if let Some(password) = password {
        // It fails only for a URL without a host, which has no password.
        let _ = url.set_password(None);
        read.hide(&password);
        variables.push(("PGPASSWORD", password));
    }
    let mut words = words(&["psql", "--no-psqlrc", "--no-password", "--quiet", "--csv"]);
    words.extend(["--set=ON_ERROR_STOP=1".to_owned(), format!("--dbname={url}")]);
    Program { words, variables, input: String::new(), package: Some("postgresql-client") }
}

fn mysql(read: &Read<'_>, url: &Url) -> Program {
    let mut variables = Vec::new();
    let mut words = words(&["mysql", "--batch", "--default-character-set=utf8mb4"]);
    // The name localhost would select a Unix socket whatever the port is.
    words.extend(url.port().map(|port| format!("--port={port}")));
    words.extend(
        url.host_str()
            .map(|host| format!("--host={}", host.trim_start_matches('[').trim_end_matches(']'))),
    );
    if url.port().is_some() {
        words.push("--protocol=TCP".to_owned());
    }
    if !url.username().is_empty() {
        words.push(format!("--user={}", decoded(url.username())));
    }
    if let Some(password) = url.password().map(decoded) {
        read.hide(&password);
        variables.push(("MYSQL_PWD", password));
    }
    let database = decoded(url.path().trim_start_matches('/'));
    if !database.is_empty() {
        words.push(format!("--database={database}"));
    }
    let package = Some("default-mysql-client");
    Program { words, variables, input: String::new(), package }
}

/// A part of a URL without percent-encoding.
pub(super) fn decoded(part: &str) -> String {
    // Only a form writes a space as `+`.
    let form = format!("x={}", part.replace('+', "%2B").replace('&', "%26"));
    let mut values = form_urlencoded::parse(form.as_bytes());
    values.next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use tokio::time::Instant;

    use super::super::Around;
    use super::*;
    use crate::sut::Target;

    /// The arguments and the added environment of the client for an address.
    fn client(address: &str) -> (String, Vec<(&'static str, String)>) {
        let target = Target::new(Some("http://127.0.0.1:1")).unwrap();
        let (folder, deadline) = (Path::new(""), Instant::now() + Duration::from_secs(60));
        let around = Around { target: &target, item: "phone", seed: 7, folder, deadline };
        let read = Read::new(&around, Duration::from_secs(9));
        let url = Url::parse(address).unwrap();
        let program = match url.scheme() {
            "mysql" => mysql(&read, &url),
            _ => postgres(&read, url),
        };
        let has_password = address.contains("hush");
        assert_eq!(read.shown("hush/, hush%2F") == "…, …", has_password);
        (program.words.join(" "), program.variables)
    }

    #[test]
    fn passwords_go_by_the_environment() {
        let timeout = ("PGCONNECT_TIMEOUT", "9".to_owned());
        let psql = "psql --no-psqlrc --no-password --quiet --csv --set=ON_ERROR_STOP=1 --dbname=";
        for (address, url) in [
            ("postgres://ann:hush%2F@h:5/shop?sslmode=off", "postgres://ann@h:5/shop?sslmode=off"),
            ("postgres://ann@h/shop?password=hush%2F&a=b", "postgres://ann@h/shop?a=b"),
        ] {
            let (words, variables) = client(address);
            assert_eq!(words, format!("{psql}{url}"));
            assert_eq!(variables, [timeout.clone(), ("PGPASSWORD", "hush/".to_owned())]);
        }
        assert_eq!(client("postgres://h/shop").1, [timeout]);
        let mysql = "mysql --batch --default-character-set=utf8mb4";
        let (words, variables) = client("mysql://a%40b:hush%2F@[::1]:5/shop");
        let rest = "--port=5 --host=::1 --protocol=TCP --user=a@b --database=shop";
        assert_eq!(words, format!("{mysql} {rest}"));
        assert_eq!(variables, [("MYSQL_PWD", "hush/".to_owned())]);
        assert_eq!(client("mysql://localhost").0, format!("{mysql} --host=localhost"));
    }
}
