//! Variables of the environment that look like flags of this program and are none.

use std::collections::BTreeSet;
use std::ffi::OsString;

use clap::{Command, CommandFactory};

use crate::escape::printable;
use crate::profile::ENV_PREFIX;
use crate::similar::nearest;

use super::args::Cli;

/// A warning about each set variable that no flag reads, with the nearest one that a flag reads.
pub(super) fn unknown_variables() -> Vec<String> {
    let cli = Cli::command();
    let all = cli.get_subcommands().flat_map(Command::get_arguments).chain(cli.get_arguments());
    let known: BTreeSet<&str> = all.filter_map(|arg| arg.get_env()?.to_str()).collect();
    let set = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut unknown: Vec<_> = set
        .filter(|name| name.starts_with(ENV_PREFIX) && !known.contains(name.as_str()))
        .map(|name| warning(&name, &known))
        .collect();
    unknown.sort();
    unknown
}

/// Names what the command line or the environment has that is not UTF-8.
pub(super) fn not_utf8(words: &[OsString]) -> String {
    let is_ours = |name: &OsString| name.as_encoded_bytes().starts_with(ENV_PREFIX.as_bytes());
    let word = words.iter().find(|word| word.to_str().is_none());
    let mut set = std::env::vars_os();
    let variable = set.find(|(name, value)| is_ours(name) && value.to_str().is_none());
    match (word, variable) {
        (None, Some((name, _))) => {
            let name = name.to_string_lossy();
            format!("{} from the environment is not UTF-8: set it anew", printable(&name))
        }
        (word, _) => {
            let word = word.map(|word| word.to_string_lossy()).unwrap_or_default();
            format!("the argument `{}` is not UTF-8: write it anew", printable(&word))
        }
    }
}

fn warning(name: &str, known: &BTreeSet<&str>) -> String {
    // The prefix is left out, so that it does not count as similar.
    let without_prefix = |name| str::strip_prefix(name, ENV_PREFIX).unwrap_or(name);
    let cure = match nearest(without_prefix(name), known.iter().map(|name| without_prefix(name))) {
        Some(nearest) => format!("the nearest is {ENV_PREFIX}{nearest}"),
        None => "no flag reads it".to_owned(),
    };
    format!("{} in the environment sets nothing: {cure}", printable(name))
}
