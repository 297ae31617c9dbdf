//! A profile file: the flags of `bench`, and those of the spawned server in the table `[server]`.
//! It reads and locates values, and leaves their checks to the plans.

use std::collections::HashMap;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::escape::printable;
use crate::similar::nearest;

use super::check::FlagError;
use super::flags::{BenchFlags, ServeFlags};
use super::text::read_text;

/// The tables that describe a tested shop.
pub const DESCRIPTION: &[&str] =
    &["shop", "setup", "before", "purchase", "after", "outcome", "result", "truth", "reset"];

/// The content of a profile.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Profile {
    /// The flags of the load.
    pub bench: BenchFlags,
    /// The flags of the server that `--spawn` starts.
    pub server: ServeFlags,
    /// The file that it was read from.
    path: PathBuf,
    /// Where each key is. The key of a table's entry is `table.key`.
    places: HashMap<String, Place>,
}

/// Where a key is in a profile.
#[derive(Debug, Clone, Default, PartialEq)]
struct Place {
    /// Its line, counted from 1.
    line: usize,
    /// The bytes of its value.
    value: Range<usize>,
    /// The line of each element, if the value is a list.
    items: Vec<usize>,
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
        flag: String,
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The problem and its cure.
        problem: String,
    },
    /// A line is not TOML, or has an unknown key.
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
        let text = read_text(path).map_err(io_error)?;
        let located = |Invalid { key, line, message }| {
            let path = path.to_owned();
            match key {
                Some(flag) => ProfileError::Flag { flag, path, line, problem: message },
                None => ProfileError::Content { path, line, message },
            }
        };
        let profile = Self::parse(&text).map_err(located)?;
        Ok(Self { path: path.to_owned(), ..profile })
    }

    /// Adds the line in the profile to an error about a flag. `table` is `server` or empty.
    pub fn locate(&self, table: &str, error: &FlagError) -> ProfileError {
        self.locate_item(table, error, None)
    }

    /// Adds the line in the profile to an error about a flag, or about the element of its list with
    /// this index.
    pub fn locate_item(&self, table: &str, error: &FlagError, item: Option<usize>) -> ProfileError {
        let place = self.place(table, error.flag);
        let item = item.and_then(|item| place?.items.get(item).copied());
        let line = item.or(place.map(|place| place.line)).unwrap_or(1);
        let (path, problem) = (self.path.clone(), error.problem.clone());
        ProfileError::Flag { flag: error.flag.to_owned(), path, line, problem }
    }

    /// The name of a flag with the file and the line that give it, if the profile does.
    pub fn source(&self, table: &str, flag: &str) -> Option<String> {
        let line = self.place(table, flag)?.line;
        Some(format!("{flag} in {}:{line}", self.path.display()))
    }

    fn place(&self, table: &str, flag: &str) -> Option<&Place> {
        let key = if table.is_empty() { flag } else { &format!("{table}.{flag}") };
        self.places.get(key)
    }

    fn parse(text: &str) -> Result<Self, Invalid> {
        let document = DeTable::parse(text);
        let mut document =
            document.map_err(|error| Invalid::new(text, &HashMap::new(), "bench", &error))?;
        let (lines, mut places) = (Lines::of(text), HashMap::new());
        for (key, value) in document.get_ref() {
            places.insert(key.get_ref().to_string(), Place::new(&lines, key.span(), value));
            for (inner, value) in value.get_ref().as_table().into_iter().flatten() {
                let name = format!("{}.{}", key.get_ref(), inner.get_ref());
                places.insert(name, Place::new(&lines, inner.span(), value));
            }
        }
        for table in DESCRIPTION {
            // `sut` reads it.
            document.get_mut().remove(*table);
        }
        check_not_empty(document.get_ref(), &lines)?;
        let server = match document.get_mut().remove("server") {
            Some(server) => {
                let server = toml::de::ValueDeserializer::from(server);
                let server = ServeFlags::deserialize(server);
                server.map_err(|error| Invalid::new(text, &places, "serve", &error))?
            }
            None => ServeFlags::default(),
        };
        let bench = BenchFlags::deserialize(toml::de::Deserializer::from(document));
        let bench = bench.map_err(|error| Invalid::new(text, &places, "bench", &error))?;
        Ok(Self { bench, server, path: PathBuf::new(), places })
    }
}

/// Checks that no flag is an empty text, which the command line does not take either.
fn check_not_empty(document: &DeTable<'_>, lines: &Lines) -> Result<(), Invalid> {
    let server = document.get("server").and_then(|server| server.get_ref().as_table());
    let mut flags = document.iter().chain(server.into_iter().flatten());
    let empty = flags.find(|(_, value)| value.get_ref().as_str() == Some(""));
    empty.map_or(Ok(()), |(key, _)| {
        let (name, line) = (key.get_ref().to_string(), lines.at(key.span().start));
        let message = "the value is empty: give one, or leave the key out".to_owned();
        Err(Invalid { key: Some(name), line, message })
    })
}

impl Place {
    fn new(lines: &Lines, key: Range<usize>, value: &Spanned<DeValue<'_>>) -> Self {
        let items = value.get_ref().as_array().into_iter().flatten();
        let items = items.map(|item| lines.at(item.span().start)).collect();
        Self { line: lines.at(key.start), value: value.span(), items }
    }
}

/// Where the lines of a text end.
struct Lines(Vec<usize>);

impl Lines {
    fn of(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self(ends.map(|(at, _)| at).collect())
    }

    /// The line of a byte, counted from 1.
    fn at(&self, at: usize) -> usize {
        self.0.partition_point(|end| *end < at) + 1
    }
}

/// Why a text is no profile.
#[derive(Debug, PartialEq)]
struct Invalid {
    /// The key whose value is wrong, without its table.
    key: Option<String>,
    /// The line, counted from 1.
    line: usize,
    /// The problem and its cure.
    message: String,
}

impl Invalid {
    /// An error of TOML or of a value; `command` is the subcommand whose flags are the keys.
    fn new(
        text: &str,
        places: &HashMap<String, Place>,
        command: &str,
        error: &toml::de::Error,
    ) -> Self {
        let (at, message) = (error.span().map_or(0, |span| span.start), error.message());
        let line = Lines::of(text).at(at);
        // The value of a table contains those of its keys, of which one is wrong.
        let around = places.iter().filter(|(_, place)| place.value.contains(&at));
        let innermost = around.min_by_key(|(_, place)| place.value.len());
        let found = innermost.map(|(key, place)| {
            let value = text.get(place.value.clone()).unwrap_or_default();
            (key.rsplit('.').next().unwrap_or_default(), value)
        });
        let expects = |form| message.contains("invalid type") && message.contains(form);
        let (key, message) = match found {
            _ if message.starts_with("unknown field") => (None, unknown_key(message, command)),
            // The header of a table.
            Some((key, value)) if expects("expected a sequence") && value.starts_with('[') => {
                let cure = match key {
                    "fault" => "[[fault]], and its keys below".to_owned(),
                    _ => format!("{key} = [\"…\"]"),
                };
                (None, format!("`{key}` is a list: write {cure}"))
            }
            Some((key, value)) if expects("expected a sequence") => {
                (None, format!("`{key}` is a list: write {key} = [{}]", printable(value)))
            }
            Some((key, _)) if expects("expected struct") => {
                (None, format!("`{key}` is a table: write [{key}], and its keys below"))
            }
            Some((key, _)) => (Some(key.to_owned()), in_one_line(message)),
            None => (None, in_one_line(message)),
        };
        Self { key, line, message }
    }
}

fn in_one_line(message: &str) -> String {
    printable(&message.trim().replace('\n', " ")).into_owned()
}

/// Replaces serde's list of all known keys by the one that is most similar to the unknown key.
fn unknown_key(message: &str, command: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = quoted.next().unwrap_or_default();
    let tables = ["server"].into_iter().chain(DESCRIPTION.iter().copied());
    let cure = match nearest(unknown, quoted.chain(tables)) {
        Some(nearest) => format!("the nearest is `{nearest}`"),
        None => format!("the keys are the flags of 'seckill {command}'"),
    };
    format!("unknown key `{}`: {cure}", printable(unknown))
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

    /// The key, the line and the message of an error.
    fn invalid(text: &str) -> (Option<String>, usize, String) {
        let Invalid { key, line, message } = Profile::parse(text).unwrap_err();
        (key, line, message)
    }

    #[test]
    fn unknown_key_is_reported_with_its_line_and_the_nearest_known_key() {
        let cases = [
            ("ramp = \"1s\"\n\nthread = 5\n", 3, "`thread`: the nearest is `threads`"),
            ("[server]\nstok = 5\n", 2, "`stok`: the nearest is `stock`"),
            ("[serverr]\nstock = 5\n", 1, "`serverr`: the nearest is `server`"),
            ("zzzzz = 5\n", 1, "`zzzzz`: the keys are the flags of 'seckill bench'"),
            ("[server]\nzzzzz = 5\n", 2, "`zzzzz`: the keys are the flags of 'seckill serve'"),
        ];
        for (text, line, message) in cases {
            assert_eq!(invalid(text), (None, line, format!("unknown key {message}")), "{text}");
        }
    }

    #[test]
    fn value_of_another_shape_is_reported_with_the_right_one() {
        let cases = [
            ("loops = 1\nstage = \"1s:5\" # up\n", 2, "a list: write stage = [\"1s:5\"]"),
            ("[server]\nflaw = \"no-dedupe\"\n", 2, "a list: write flaw = [\"no-dedupe\"]"),
            ("server = { flaw = \"x\" }\n", 1, "a list: write flaw = [\"x\"]"),
            ("[fault]\nat = \"1s\"\n", 1, "a list: write [[fault]], and its keys below"),
            ("[stage]\na = 1\n", 1, "a list: write stage = [\"…\"]"),
            ("server = 5\n", 1, "a table: write [server], and its keys below"),
        ];
        for (text, line, expected) in cases {
            let (key, at, message) = invalid(text);
            assert_eq!((key, at), (None, line), "{text}");
            assert!(message.ends_with(&format!("is {expected}")), "{text}: {message}");
        }
    }

    #[test]
    fn invalid_value_is_reported_with_its_key_and_its_line() {
        let cases = [
            ("threads = 5\nramp = \"soon\"\n", "ramp", 2, "`soon` is not a time"),
            ("loops = 5\nthreads = -5\n", "threads", 2, "`-5` is not a count"),
            ("loops = 5\nthreads = true\n", "threads", 2, "boolean `true`, expected a count"),
            ("[threads]\na = 1\n", "threads", 1, "invalid type: map, expected a count"),
            ("loops = 5\n[server]\nstock = \"abc\"\n", "stock", 3, "`abc` is not a count"),
            ("server = { stock = \"abc\" }\n", "stock", 1, "`abc` is not a count"),
            ("server.stock = \"abc\"\n", "stock", 1, "`abc` is not a count"),
            ("fail-if = [\n \"p99>1s\",\n 5,\n]\n", "fail-if", 3, "expected a string"),
            ("threads = \"\\u001b\"\n", "threads", 1, "`\\u{1b}` is not a count"),
        ];
        for (text, key, line, expected) in cases {
            let (found, at, message) = invalid(text);
            assert_eq!((found.as_deref(), at), (Some(key), line), "{text}: {message}");
            assert!(message.contains(expected), "{text}: {message}");
        }
        let (key, line, _) = invalid("threads = 5\nramp = = 1\n");
        assert_eq!((key, line), (None, 2));
    }

    #[test]
    fn error_about_an_element_has_its_line() {
        let text = "loops = 5\nfail-if = [\n  \"p99>1s\",\n  \"p9>1s\",\n]\n";
        let profile = Profile::parse(text).unwrap();
        let error = FlagError::new("fail-if", "wrong");
        let line = |item| match profile.locate_item("", &error, item) {
            ProfileError::Flag { line, .. } => line,
            other => panic!("{other}"),
        };
        assert_eq!([None, Some(0), Some(1), Some(9)].map(line), [2, 3, 4, 2]);
    }
}
