//! `seckill serve`: checks the flags, starts logging, and serves until a signal.

use std::fmt::Write;
use std::io;
use std::str::FromStr;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::escape::printable;
use crate::flaws::Flaw;
use crate::profile::{FlagError, ServeFlags, ServePlan};
use crate::server::{self, Server};
use crate::settings::LogFormat;

use super::args::{Colour, ServeArgs};
use super::signals::Signals;
use super::sources::Sources;
use super::{Failure, limits, print};

pub(super) fn serve(args: ServeArgs, sources: &Sources, colour: Colour) -> Result<u8, Failure> {
    if args.list_flaws {
        print(&list_flaws())?;
        return Ok(0);
    }
    let flags = args.flags;
    let room = limits::raise_file_limit()?;
    let plan = ServePlan::new(&flags, room);
    let plan = plan.map_err(|error| Failure::Usage(sources.explain(&error)))?;
    start_logging(&flags, sources, colour).map_err(Failure::Usage)?;
    server::runtime()?.block_on(serve_until_stopped(plan))?;
    Ok(0)
}

async fn serve_until_stopped(plan: ServePlan) -> Result<(), Failure> {
    let mut signals = Signals::take()?;
    let server = Server::start(plan).await?;
    print(&format!("listening on http://{}\n", server.address()))?;
    Ok(server.run(async move { signals.next().await }).await?)
}

fn start_logging(flags: &ServeFlags, sources: &Sources, colour: Colour) -> Result<(), String> {
    let filter = match std::env::var("RUST_LOG") {
        Ok(filter) => read_filter(&filter, "")
            .map_err(|problem| format!("RUST_LOG from the environment: {problem}"))?,
        Err(_) => {
            let level = flags.log.as_deref().unwrap_or("info");
            // The logs of these crates are off: queue and store log the same events once, with
            // their meaning.
            let is_named = |name: &str| level.split(',').any(|one| one.trim().starts_with(name));
            let quiet = ["lapin", "redis"].iter().filter(|name| !is_named(name));
            let quiet: String = quiet.map(|name| format!(",{name}=off")).collect();
            read_filter(level, &quiet)
                .map_err(|problem| sources.explain(&FlagError::new("log", problem)))?
        }
    };
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match flags.log_format.unwrap_or_default() {
        LogFormat::Text => log.with_ansi(colour.on(&io::stderr())).init(),
        LogFormat::Json => log.json().init(),
    }
    Ok(())
}

/// Reads a log filter, to which `more` directives are added.
fn read_filter(filter: &str, more: &str) -> Result<EnvFilter, String> {
    const LEVELS: &str = "write error, warn, info, debug, trace or off, or a module with its \
                          level, such as seckill::server=debug";
    if let Some(word) = wrong_level(filter) {
        return Err(format!("`{}` is not a level: {LEVELS}", printable(word)));
    }
    EnvFilter::try_new(format!("{filter}{more}"))
        .map_err(|_| format!("`{}` is not a log filter: {LEVELS}", printable(filter)))
}

/// The first word of a filter that stands where a level is expected and is none. A filter takes any
/// word that stands alone for the name of a module, and so a misspelt level would switch the log
/// off.
fn wrong_level(filter: &str) -> Option<&str> {
    // Fields of spans may have signs of equality and commas in them.
    let has_spans = filter.contains('[');
    let words = filter.split(',').map(str::trim).filter(|word| !word.is_empty());
    let levels = words.filter_map(|word| match word.rsplit_once('=') {
        Some((_, level)) => (!has_spans).then_some(level),
        None => (!word.contains([':', '[', ']'])).then_some(word),
    });
    levels.into_iter().find(|level| LevelFilter::from_str(level).is_err())
}

/// The output of `--list-flaws`.
fn list_flaws() -> String {
    let mut text = String::new();
    for flaw in Flaw::ALL {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", flaw.name());
        let engines = flaw.engines().describe();
        let (does, breaks, source) = (flaw.does(), flaw.breaks(), flaw.source());
        let rows = [("does", does), ("breaks", breaks), ("from", source), ("engines", engines)];
        for (label, words) in rows {
            let _ = writeln!(text, "    {label:<7} {words}");
        }
    }
    text
}
