//! Keys of a Redis as a source of orders or of a number.

use redis::Value;
use toml::Spanned;

use crate::sut::described::text::Text;
use crate::sut::described::wrong::Wrong;

use super::around::Read;
use super::check;
use super::connection::{Server, text};
use super::error::Problem;
use super::keys::{Bounded, is_pattern, one_key, scan_keys, unknown_type};
use super::record::Record;

/// A key, or several by a pattern.
#[derive(Debug)]
pub(super) struct Redis {
    server: Server,
    key: Text,
    is_pattern: bool,
}

impl Redis {
    pub(super) fn new(
        address: &Spanned<String>,
        key: Option<&Spanned<String>>,
    ) -> Result<Self, Wrong> {
        let Some(key) = key else {
            return Err(Wrong::of(address, "needs `key`: the name of the key that has the data"));
        };
        let is_pattern = is_pattern(key.get_ref());
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
