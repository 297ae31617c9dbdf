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
        Ok(filter) => EnvFilter::try_new(filter).map_err(|error| format!("RUST_LOG: {error}"))?,
        Err(_) => {
            let level = flags.log.as_deref().unwrap_or("info");
            // lapin's log is off: the queue logs the same events once, with their meaning.
            let quiet = if level.contains("lapin") { "" } else { ",lapin=off" };
            let filter = check_levels(level).and_then(|()| {
                EnvFilter::try_new(format!("{level}{quiet}")).map_err(|error| error.to_string())
            });
            filter.map_err(|problem| sources.explain(&FlagError::new("log", problem)))?
        }
    };
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match flags.log_format.unwrap_or_default() {
        LogFormat::Text => log.with_ansi(colour.on(&io::stderr())).init(),
        LogFormat::Json => log.json().init(),
    }
    Ok(())
}

/// Checks the words of a filter that stand alone. The filter takes any word for the name of a
/// module, and so a level that is misspelt would switch the log off.
fn check_levels(filter: &str) -> Result<(), String> {
    let mut alone = filter.split(',').map(str::trim).filter(|word| !word.contains(['=', ':', '[']));
    match alone.find(|word| LevelFilter::from_str(word).is_err()) {
        Some(word) => Err(format!(
            "`{}` is not a level: write error, warn, info, debug, trace or off, or a module with \
             its level, such as seckill::server=debug",
            printable(word)
        )),
        None => Ok(()),
    }
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
