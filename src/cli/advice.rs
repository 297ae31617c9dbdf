//! Advice in errors of the command line: clap's own tips, where they help, and better ones.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory, Error};

use crate::escape::printable;
use crate::profile::env_name;

use super::address::{flag_with_address, target};
use super::args::Cli;

/// Flags of other programs, and what means the same here: subcommand, flag, advice.
const SYNONYMS: &[(&str, &[&str], &str)] = &[
    ("bench", &["--users", "--vus", "--connections", "--concurrency", "--clients"], "--threads N"),
    ("bench", &["--iterations", "--requests", "--count"], "--loops N"),
    ("bench", &["--ramp-up", "--rampup", "--ramp-time"], "--ramp TIME"),
    ("bench", &["--qps", "--rps", "--throughput"], "--rate N/s"),
    ("bench", &["--time", "--run-time"], "--duration TIME"),
    ("bench", &["--output", "--folder"], "--out DIR"),
    ("bench", &["--threshold", "--thresholds", "--assert"], "--fail-if EXPR"),
    ("bench", &["--report"], "--out DIR' for all reports, or '--html FILE"),
    ("serve", &["--rabbitmq", "--amqp", "--broker"], "--queue amqp://HOST"),
    ("serve", &["--redis"], "--store redis://HOST"),
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
            if let Some(tip) = tip(cli, verb, &named, words) {
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
        let flag = target(given).unwrap_or_else(|| "--target http://127.0.0.1:7001".into());
        return Some(format!("write 'seckill bench {flag}'"));
    }
    let (_, verb) = VERBS.iter().find(|(words, _)| words.contains(&given))?;
    Some(format!("a similar subcommand exists: '{verb}'"))
}

/// The advice on an argument that `verb` does not have.
fn tip(cli: &Command, verb: &str, named: &str, words: &[OsString]) -> Option<String> {
    if named.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit())) {
        return Some("no number and no time is below 0 here".into());
    }
    if !named.starts_with('-') {
        let word = printable(named);
        if has(cli, verb, &format!("--{named}")) {
            return Some(format!("write '--{word}'"));
        }
        return match (verb, target(named)) {
            ("bench", Some(flag)) => Some(format!("write '{flag}'")),
            ("bench", None) => {
                Some("flags of a spawned server follow '--'; an address follows '--target'".into())
            }
            ("serve", _) => Some(format!("an address follows '--listen': '--listen {word}'")),
            ("lab", _) => Some(format!("a command follows '--': 'seckill lab -- {word}'")),
            _ => None,
        };
    }
    if named == "--list-flaws" {
        return Some("write 'seckill serve --list-flaws'".into());
    }
    if let Some(flag) = flag_with_address(verb, named, words) {
        return Some(format!("use '{flag}'"));
    }
    let synonym = SYNONYMS.iter().find(|(of, flags, _)| *of == verb && flags.contains(&named));
    if let Some((_, _, flag)) = synonym {
        return Some(format!("use '{flag}'"));
    }
    let has = |verb: &str| has(cli, verb, named);
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

/// Whether a subcommand has this flag, which is given with its dashes.
fn has(cli: &Command, verb: &str, named: &str) -> bool {
    let command = cli.find_subcommand(verb);
    let mut flags = command.into_iter().flat_map(Command::get_arguments);
    match (named.strip_prefix("--"), named.strip_prefix('-')) {
        (Some(long), _) => flags.any(|arg| arg.get_long() == Some(long)),
        (None, Some(short)) => {
            let is_short = |short: &char| named.len() == 1 + short.len_utf8();
            let short = short.chars().next().filter(is_short);
            flags.any(|arg| short.is_some() && arg.get_short() == short)
        }
        (None, None) => false,
    }
}

/// Advice on words after `--` of a `bench` that starts no server.
pub(super) fn without_spawn(words: &[String]) -> String {
    let cli = Cli::command();
    let flags = words.iter().filter_map(|word| word.split('=').next());
    let mut misplaced = flags.filter(|flag| has(&cli, "bench", flag) && !has(&cli, "serve", flag));
    match misplaced.next() {
        Some(flag) => format!("{flag} is a flag of 'seckill bench': write it before --"),
        None => "flags after -- are the spawned server's: add --spawn".into(),
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
