//! Advice in errors of the command line: clap's own tips, where they help, and better ones.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error};

use crate::profile::env_name;

/// Flags of other programs, and what means the same here: subcommand, flag, advice.
const SYNONYMS: &[(&str, &[&str], &str)] = &[
    ("serve", &["--port", "--bind", "--host", "--address", "-p"], "--listen 127.0.0.1:7001"),
    ("bench", &["--url", "--host", "--port", "--server", "-u"], "--target http://127.0.0.1:7001"),
    ("bench", &["--users", "--vus", "--connections", "--concurrency", "--clients"], "--threads N"),
    ("bench", &["--iterations", "--requests", "--count"], "--loops N"),
    ("bench", &["--ramp-up", "--rampup", "--ramp-time"], "--ramp TIME"),
    ("bench", &["--qps", "--rps", "--throughput"], "--rate N/s"),
    ("bench", &["--time", "--run-time"], "--duration TIME"),
    ("bench", &["--output", "--folder"], "--out DIR"),
    ("bench", &["--header", "--method", "--body"], "--target with a server of the HTTP API"),
];

/// Words for a subcommand that does not exist, and what is meant.
const VERBS: &[(&[&str], &str)] = &[
    (&["run", "load", "test", "attack", "start-load", "bombard"], "bench"),
    (&["server", "start", "up", "listen"], "serve"),
    (&["judge", "verify", "check"], "audit"),
];

/// Replaces tips that mislead: what follows `--` is not a value of this command line.
pub(super) fn advise(mut error: Error, cli: &Command, words: &[OsString]) -> Error {
    let named = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(named)) => named.clone(),
        _ => String::new(),
    };
    let verb = verb(cli, words);
    match error.kind() {
        ErrorKind::UnknownArgument => {
            error.remove(ContextKind::Suggested);
            if let Some(tip) = tip(cli, verb, &named) {
                // The usage is that of the argument which clap suggests.
                error.remove(ContextKind::SuggestedArg);
                error.remove(ContextKind::Usage);
                let tip = ContextValue::StyledStrs(vec![tip.into()]);
                error.insert(ContextKind::Suggested, tip);
            }
        }
        ErrorKind::InvalidSubcommand => {
            let given = words.get(1).and_then(|word| word.to_str()).unwrap_or_default();
            if let Some(tip) = verb_tip(given) {
                error.remove(ContextKind::SuggestedSubcommand);
                let tip = ContextValue::StyledStrs(vec![tip.into()]);
                error.insert(ContextKind::Suggested, tip);
            }
        }
        ErrorKind::ValueValidation | ErrorKind::InvalidValue => {
            if let Some(variable) = variable(&named, words) {
                let source = format!("{variable} from the environment");
                error.insert(ContextKind::InvalidArg, ContextValue::String(source));
            }
        }
        _ => {}
    }
    error
}

/// The subcommand that the words name.
fn verb<'a>(cli: &'a Command, words: &[OsString]) -> &'a str {
    let named = words.iter().skip(1).find_map(|word| cli.find_subcommand(word));
    named.map_or("", Command::get_name)
}

fn verb_tip(given: &str) -> Option<String> {
    if given.starts_with("http://") || given.starts_with("https://") {
        return Some(format!("write 'seckill bench --target {given}'"));
    }
    let (_, verb) = VERBS.iter().find(|(words, _)| words.contains(&given))?;
    Some(format!("a similar subcommand exists: '{verb}'"))
}

/// The advice on an argument that `verb` does not have.
fn tip(cli: &Command, verb: &str, named: &str) -> Option<String> {
    if !named.starts_with('-') {
        return match verb {
            "bench" if named.contains("://") => Some(format!("write '--target {named}'")),
            "bench" => {
                Some("flags of a spawned server follow '--'; an address follows '--target'".into())
            }
            "serve" => Some(format!("an address follows '--listen': '--listen {named}'")),
            "lab" => Some(format!("a command follows '--': 'seckill lab -- {named}'")),
            _ => None,
        };
    }
    let synonym = SYNONYMS.iter().find(|(of, flags, _)| *of == verb && flags.contains(&named));
    if let Some((_, _, flag)) = synonym {
        return Some(format!("use '{flag}'"));
    }
    let has = |verb: &str| {
        let command = cli.find_subcommand(verb);
        let mut flags = command.into_iter().flat_map(Command::get_arguments);
        flags.any(|arg| arg.get_long().is_some() && arg.get_long() == named.strip_prefix("--"))
    };
    match verb {
        "bench" if has("serve") => {
            Some(format!("{named} is a flag of the server: write '--spawn -- {named} …'"))
        }
        "serve" if has("bench") => Some(format!("{named} is a flag of 'seckill bench'")),
        "lab" if has("bench") || has("serve") => {
            Some(format!("{named} is a flag of the command: write it after '--'"))
        }
        _ => None,
    }
}

/// The variable that a value comes from, if it is set and the flag is not among the words.
fn variable(named: &str, words: &[OsString]) -> Option<String> {
    let flag = named.strip_prefix("--")?.split([' ', '=', '[']).next()?;
    let variable = env_name(flag);
    let long = format!("--{flag}");
    let is_given = words.iter().filter_map(|word| word.to_str()).any(|word| {
        let word = word.split_once('=').map_or(word, |(flag, _)| flag);
        word == long
    });
    (!is_given && std::env::var_os(&variable).is_some()).then_some(variable)
}
