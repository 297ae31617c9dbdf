//! The file of a description: its tables, and the lines of what is wrong in it.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::de::DeTable;

use crate::escape::printable;
use crate::profile::{DESCRIPTION, unknown_key};

use super::tables::Tables;
use super::wrong::Wrong;

/// Largest description, in bytes.
const FILE_LEN_MAX: u64 = 1 << 20;

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
    text: String,
}

impl File {
    pub(super) fn read(path: &Path) -> Result<Self, DescriptionError> {
        let io_error = |cause| DescriptionError::Io { path: path.to_owned(), cause };
        if fs::metadata(path).map_err(io_error)?.len() > FILE_LEN_MAX {
            let cause = std::io::Error::other("larger than a mebibyte: not a profile");
            return Err(io_error(cause));
        }
        let text = fs::read_to_string(path).map_err(io_error)?;
        Ok(Self { path: path.to_owned(), text })
    }

    /// Reads the tables of a description. All other keys are left to `bench`.
    pub(super) fn tables(&self) -> Result<Tables, Wrong> {
        let of_toml = |error: toml::de::Error| {
            let at = error.span().map_or(0, |span| span.start);
            let message = error.message().trim().replace('\n', " ");
            match message.starts_with("unknown field") {
                true => Wrong::at(at, unknown_key(&message, &[], "docs/own-shop.md has all keys")),
                false => Wrong::at(at, printable(&message)),
            }
        };
        let mut document = DeTable::parse(&self.text).map_err(of_toml)?;
        let keys = document.get_ref().keys().map(|key| key.get_ref().to_string());
        let others: Vec<String> = keys.filter(|key| !DESCRIPTION.contains(&&**key)).collect();
        for key in others {
            document.get_mut().remove(&*key);
        }
        Tables::deserialize(toml::de::Deserializer::from(document)).map_err(of_toml)
    }

    /// Something that is wrong in it, with its line.
    pub(super) fn located(&self, Wrong { at, problem }: Wrong) -> DescriptionError {
        let before = self.text.bytes().take(at);
        let line = before.filter(|byte| *byte == b'\n').count() + 1;
        DescriptionError::Content { path: self.path.clone(), line, problem }
    }
}

/// Whether a profile describes a shop.
pub(super) fn is_description(path: &Path) -> bool {
    let text = fs::read_to_string(path).unwrap_or_default();
    let document = DeTable::parse(&text);
    document.is_ok_and(|document| {
        document.get_ref().keys().any(|key| DESCRIPTION.contains(&&**key.get_ref()))
    })
}
