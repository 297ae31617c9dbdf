//! A profile file: the flags of `bench`, and those of the spawned server in the table `[server]`.
//! It reads and locates values, and leaves their checks to the plans.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::check::FlagError;
use super::flags::{BenchFlags, ServeFlags};

/// Largest profile that is read, in bytes.
const FILE_LEN_MAX: u64 = 1 << 20;

/// The content of a profile.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Profile {
    /// The flags of the load.
    pub bench: BenchFlags,
    /// The flags of the server that `--spawn` starts.
    pub server: ServeFlags,
    /// The file that it was read from.
    path: PathBuf,
    /// The line of each key, counted from 1. The key of a table's entry is `table.key`.
    lines: HashMap<String, usize>,
}

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// The file cannot be read.
    #[error("cannot read the profile {}: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        cause: io::Error,
    },
    /// A flag in it is invalid.
    #[error("{flag} in {}:{line}: {problem}", path.display())]
    Flag {
        /// The flag, as the file names it.
        flag: &'static str,
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The problem and its cure.
        problem: String,
    },
    /// A line has an invalid key or value.
    #[error("{}:{line}: {message}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The problem and its cure.
        message: String,
    },
}

impl Profile {
    /// Reads a profile.
    ///
    /// # Errors
    /// When the file cannot be read, or a key or value is invalid.
    pub fn read(path: &Path) -> Result<Self, ProfileError> {
        let io_error = |cause| ProfileError::Io { path: path.to_owned(), cause };
        if fs::metadata(path).map_err(io_error)?.len() > FILE_LEN_MAX {
            return Err(io_error(io::Error::other("larger than a mebibyte: not a profile")));
        }
        let text = fs::read_to_string(path).map_err(io_error)?;
        let content =
            |(line, message)| ProfileError::Content { path: path.to_owned(), line, message };
        let profile = Self::parse(&text).map_err(content)?;
        Ok(Self { path: path.to_owned(), ..profile })
    }

    /// Adds the line in the profile to an error about a flag. `table` is `server` or empty.
    pub fn locate(&self, table: &str, error: &FlagError) -> ProfileError {
        let line = self.line(table, error.flag).unwrap_or(1);
        let (path, problem) = (self.path.clone(), error.problem.clone());
        ProfileError::Flag { flag: error.flag, path, line, problem }
    }

    /// The line that gives a flag, if one does.
    pub fn line(&self, table: &str, flag: &str) -> Option<usize> {
        let key = if table.is_empty() { flag } else { &format!("{table}.{flag}") };
        self.lines.get(key).copied()
    }

    fn parse(text: &str) -> Result<Self, (usize, String)> {
        let line_at = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
        let error = |error: toml::de::Error| {
            let line = line_at(error.span().map_or(0, |span| span.start));
            let text = text.lines().nth(line - 1).unwrap_or_default();
            (line, list_form(error.message(), text).unwrap_or_else(|| explain(error.message())))
        };
        let mut document = toml::de::DeTable::parse(text).map_err(error)?;
        let mut lines = HashMap::new();
        for (key, value) in document.get_ref() {
            lines.insert(key.get_ref().to_string(), line_at(key.span().start));
            for (inner, _) in value.get_ref().as_table().into_iter().flatten() {
                let name = format!("{}.{}", key.get_ref(), inner.get_ref());
                lines.insert(name, line_at(inner.span().start));
            }
        }
        let server = document.get_mut().remove("server");
        let server = match server {
            Some(server) => {
                let server = toml::de::ValueDeserializer::from(server);
                ServeFlags::deserialize(server).map_err(error)?
            }
            None => ServeFlags::default(),
        };
        let bench = toml::de::Deserializer::from(document);
        let bench = BenchFlags::deserialize(bench).map_err(error)?;
        Ok(Self { bench, server, path: PathBuf::new(), lines })
    }
}

/// The cure for a single value of a key that takes a list. `text` is the line in the profile.
fn list_form(message: &str, text: &str) -> Option<String> {
    let (key, value) = text.split_once('=')?;
    let (key, value) = (key.trim(), value.split(" #").next().unwrap_or_default().trim());
    let takes_list = message.contains("invalid type") && message.contains("expected a sequence");
    takes_list.then(|| format!("`{key}` is a list: write {key} = [{value}]"))
}

/// Replaces serde's list of all known keys by the one that is most similar to the unknown key.
fn explain(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    match (message.starts_with("unknown field"), quoted.next()) {
        (true, Some(unknown)) => {
            let similar = |key: &&str| strsim::jaro_winkler(unknown, key);
            let tables = std::iter::once("server");
            let nearest = quoted.chain(tables).max_by(|a, b| similar(a).total_cmp(&similar(b)));
            let nearest = nearest.unwrap_or("none");
            format!("unknown key `{unknown}`: the nearest is `{nearest}`")
        }
        _ => message.trim().replace('\n', " "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Count;

    #[test]
    fn flags_of_bench_and_server_are_read() {
        let profile = Profile::parse("threads = \"1k\"\nloops = 3\n[server]\nstock = 7\n").unwrap();
        assert_eq!(profile.bench.threads, Some(Count(1000)));
        assert_eq!(profile.bench.loops, Some(Count(3)));
        assert_eq!(profile.server.stock, Some(Count(7)));
    }

    #[test]
    fn unknown_key_is_reported_with_its_line_and_the_nearest_known_key() {
        let (line, message) = Profile::parse("ramp = \"1s\"\n\nthread = 5\n").unwrap_err();
        assert_eq!((line, message.as_str()), (3, "unknown key `thread`: the nearest is `threads`"));
        let (line, message) = Profile::parse("[server]\nstok = 5\n").unwrap_err();
        assert_eq!((line, message.as_str()), (2, "unknown key `stok`: the nearest is `stock`"));
    }

    #[test]
    fn single_value_of_a_list_is_reported_with_the_list() {
        let (line, message) = Profile::parse("loops = 1\nstage = \"1s:5\" # up\n").unwrap_err();
        let expected = "`stage` is a list: write stage = [\"1s:5\"]";
        assert_eq!((line, message.as_str()), (2, expected));
        let (_, message) = Profile::parse("[server]\nflaw = \"no-dedupe\"\n").unwrap_err();
        assert_eq!(message, "`flaw` is a list: write flaw = [\"no-dedupe\"]");
    }

    #[test]
    fn invalid_value_is_reported_with_its_line() {
        let (line, message) = Profile::parse("threads = 5\nramp = \"soon\"\n").unwrap_err();
        assert_eq!(line, 2);
        assert!(message.contains("`soon` is not a time"), "{message}");
        let (line, _) = Profile::parse("threads = 5\nramp = = 1\n").unwrap_err();
        assert_eq!(line, 2);
        let (line, message) = Profile::parse("threads = -5\n").unwrap_err();
        assert_eq!(line, 1);
        assert!(message.contains("count"), "{message}");
    }
}
