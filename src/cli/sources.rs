//! Where the value of a flag came from, for messages about it.

use std::collections::BTreeSet;

use clap::ArgMatches;
use clap::parser::ValueSource;

use crate::profile::{FlagError, Profile, env_name};

/// The flags that were given, by where they were given; without dashes.
#[derive(Debug, Default)]
pub(super) struct Sources {
    on_command_line: BTreeSet<String>,
    in_environment: BTreeSet<String>,
}

impl Sources {
    /// The flags of a parsed subcommand, or of the one inside it.
    pub(super) fn of(matches: &ArgMatches) -> Self {
        if let Some((_, inner)) = matches.subcommand() {
            return Self::of(inner);
        }
        let from = |source: ValueSource| {
            let ids = matches.ids().map(clap::Id::as_str);
            let ids = ids.filter(|id| matches.value_source(id) == Some(source));
            ids.map(|id| id.replace('_', "-")).collect()
        };
        Self {
            on_command_line: from(ValueSource::CommandLine),
            in_environment: from(ValueSource::EnvVariable),
        }
    }

    /// Whether the argument with this id was given on the command line.
    pub(super) fn is_on_command_line(&self, id: &str) -> bool {
        self.on_command_line.contains(&id.replace('_', "-"))
    }

    /// An error about a flag, with the name of its source.
    pub(super) fn explain(&self, error: &FlagError) -> String {
        self.explain_with(error, &Profile::default(), "")
    }

    /// An error about a flag, which a profile may have given, too: in its table of this name, or
    /// outside of all tables.
    pub(super) fn explain_with(&self, error: &FlagError, profile: &Profile, table: &str) -> String {
        format!("{}: {}", self.name(error.flag, profile, table), error.problem)
    }

    /// The name of a flag's source: the variable of the environment, the line of the profile, or
    /// else the flag.
    pub(super) fn name(&self, flag: &str, profile: &Profile, table: &str) -> String {
        let long = || format!("--{flag}");
        match (self.on_command_line.contains(flag), self.in_environment.contains(flag)) {
            (true, _) => long(),
            (false, true) => format!("{} from the environment", env_name(flag)),
            (false, false) => profile.source(table, flag).unwrap_or_else(long),
        }
    }
}
