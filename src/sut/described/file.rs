//! The file of a description: its tables, and the lines of what is wrong in it.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::de::DeTable;

use crate::escape::printable;
use crate::profile::{DESCRIPTION, read_text};
use crate::similar::nearest;

use super::tables::Tables;
use super::wrong::Wrong;

/// The tables of which there is one. Of the others there may be several.
const ONCE: &[&str] = &["shop", "purchase", "result", "truth"];

/// Why a description cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DescriptionError {
    /// The file cannot be read.
    #[error("cannot read {}: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        cause: std::io::Error,
    },
    /// Something in it is wrong.
    #[error("{}:{line}: {problem}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The problem and its cure.
        problem: String,
    },
}

/// The file of a description, as text.
#[derive(Debug)]
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

impl File {
    pub(super) fn read(path: &Path) -> Result<Self, DescriptionError> {
        let io_error = |cause| DescriptionError::Io { path: path.to_owned(), cause };
        let text = read_text(path).map_err(io_error)?;
        Ok(Self { path: path.to_owned(), text })
    }

    /// Reads the tables of a description. All other keys are left to `bench`.
    pub(super) fn tables(&self) -> Result<Tables, Wrong> {
        let of_toml = |error: toml::de::Error| {
            let at = error.span().map_or(0, |span| span.start);
            Wrong::at(at, explained(error.message()))
        };
        let mut document = DeTable::parse(&self.text).map_err(of_toml)?;
        let keys = document.get_ref().keys().map(|key| key.get_ref().to_string());
        let others: Vec<String> = keys.filter(|key| !DESCRIPTION.contains(&&**key)).collect();
        for key in others {
            document.get_mut().remove(&*key);
        }
        check_brackets(document.get_ref())?;
        Tables::deserialize(toml::de::Deserializer::from(document)).map_err(of_toml)
    }

    /// Something that is wrong in it, with its line.
    pub(super) fn located(&self, Wrong { at, problem }: Wrong) -> DescriptionError {
        let before = self.text.bytes().take(at);
        let line = before.filter(|byte| *byte == b'\n').count() + 1;
        DescriptionError::Content { path: self.path.clone(), line, problem }
    }
}

/// Checks that there are several of only those tables of which there may be.
fn check_brackets(tables: &DeTable<'_>) -> Result<(), Wrong> {
    for (key, value) in tables {
        let (name, at) = (key.get_ref(), key.span().start);
        let value = value.get_ref();
        match ONCE.contains(&&**name) {
            true if value.is_array() => {
                let problem = format!("there is one [{name}]: write it in single brackets");
                return Err(Wrong::at(at, problem));
            }
            false if value.is_table() => {
                let problem = format!("there may be several [[{name}]]: write it in two brackets");
                return Err(Wrong::at(at, problem));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The message of a TOML error on one line, with the cure where serde does not name it.
fn explained(message: &str) -> String {
    let message = message.trim().replace('\n', " ");
    let mut quoted = message.split('`').skip(1).step_by(2);
    let name = printable(quoted.next().unwrap_or_default());
    if message.starts_with("unknown field") {
        let known: Vec<&str> = quoted.collect();
        return match nearest(&name, known.iter().copied()) {
            Some(nearest) => format!("unknown key `{name}`: the nearest is `{nearest}`"),
            None => format!("unknown key `{name}`: the keys here are {}", known.join(", ")),
        };
    }
    match (message.starts_with("missing field"), &*name) {
        (true, "purchase") => {
            "there is no [purchase]: add it, with request = \"POST /path\"".to_owned()
        }
        (true, "request") => "`request` is missing: add request = \"POST /path\"".to_owned(),
        (true, name) => format!("`{name}` is missing: add it"),
        (false, _) if message.ends_with("map, expected a sequence") => {
            "there may be several of this table: write its name in [[two brackets]]".to_owned()
        }
        (false, _) if message.ends_with("expected a sequence") => {
            "a list is expected: write [\"…\", \"…\"]".to_owned()
        }
        (false, _) if message.contains("expected struct") => {
            "this is a table: write its name in [brackets], and its keys below".to_owned()
        }
        (false, _) => printable(&message).into_owned(),
    }
}

/// Whether a profile describes a shop.
pub(super) fn is_description(path: &Path) -> bool {
    let text = read_text(path).unwrap_or_default();
    let document = DeTable::parse(&text);
    document.is_ok_and(|document| {
        document.get_ref().keys().any(|key| DESCRIPTION.contains(&&**key.get_ref()))
    })
}
