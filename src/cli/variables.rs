//! Variables of the environment that look like flags of this program and are none.

use std::collections::BTreeSet;

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

fn warning(name: &str, known: &BTreeSet<&str>) -> String {
    // The prefix is left out, so that it does not count as similar.
    let without_prefix = |name| str::strip_prefix(name, ENV_PREFIX).unwrap_or(name);
    let cure = match nearest(without_prefix(name), known.iter().map(|name| without_prefix(name))) {
        Some(nearest) => format!("the nearest is {ENV_PREFIX}{nearest}"),
        None => "no flag reads it".to_owned(),
    };
    format!("{} in the environment sets nothing: {cure}", printable(name))
}
