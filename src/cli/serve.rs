//! `seckill serve`: checks the flags, starts logging, and serves until a signal.

use std::fmt::Write;
use std::io;

use tracing_subscriber::EnvFilter;

use crate::flaws::Flaw;
use crate::profile::{ServeFlags, ServePlan};
use crate::server::{self, Server};
use crate::settings::LogFormat;

use super::args::{Colour, ServeArgs};
use super::signals::Signals;
use super::{Failure, limits, print};

pub(super) fn serve(args: ServeArgs, colour: Colour) -> Result<u8, Failure> {
    if args.list_flaws {
        print(&list_flaws())?;
        return Ok(0);
    }
    let flags = args.flags;
    let room = limits::raise_file_limit();
    let plan = ServePlan::new(&flags, room);
    let plan = plan.map_err(|error| Failure::Usage(error.to_string()))?;
    start_logging(&flags, colour).map_err(Failure::Usage)?;
    server::runtime()?.block_on(serve_until_stopped(plan))?;
    Ok(0)
}

async fn serve_until_stopped(plan: ServePlan) -> Result<(), Failure> {
    let mut signals = Signals::take()?;
    let server = Server::start(plan).await?;
    print(&format!("listening on http://{}\n", server.address()))?;
    Ok(server.run(async move { signals.next().await }).await?)
}

fn start_logging(flags: &ServeFlags, colour: Colour) -> Result<(), String> {
    let filter = match std::env::var("RUST_LOG") {
        Ok(filter) => EnvFilter::try_new(filter).map_err(|error| format!("RUST_LOG: {error}"))?,
        Err(_) => {
            let level = flags.log.as_deref().unwrap_or("info");
            // lapin's log is off: the queue logs the same events once, with their meaning.
            let quiet = if level.contains("lapin") { "" } else { ",lapin=off" };
            EnvFilter::try_new(format!("{level}{quiet}"))
                .map_err(|error| format!("--log: {error}"))?
        }
    };
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    match flags.log_format.unwrap_or_default() {
        LogFormat::Text => log.with_ansi(colour.on(&io::stderr())).init(),
        LogFormat::Json => log.json().init(),
    }
    Ok(())
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
