//! `seckill serve`.

use std::io;
use std::path::PathBuf;

use tracing_subscriber::EnvFilter;

use crate::flaws::Design;
use crate::ids::IdError;
use crate::profile::{FlagError, ServeFlags};
use crate::sale::Terms;
use crate::secret::Secret;
use crate::server::{Config, PREFETCH_MAX, Server};
use crate::settings::{LogFormat, Role};
use crate::units::Count;

use super::args::{Colour, ServeArgs};
use super::signals::Signals;
use super::{Failure, engines, limits, print};

/// Most consumers: more than any machine has cores for.
const CONSUMERS_MAX: u64 = 64;

/// Where the embedded engines keep their journals when nobody says.
pub(super) const DATA_DEFAULT: &str = "seckill-data";

pub(super) fn serve(args: ServeArgs, colour: Colour) -> Result<u8, Failure> {
    if args.list_flaws {
        print(&engines::list_flaws())?;
        return Ok(0);
    }
    let flags = args.flags;
    let room = limits::raise_file_limit();
    let config = engines::check(&flags)
        .and_then(|()| config(&flags, room))
        .map_err(|error| Failure::Usage(error.to_string()))?;
    start_logging(&flags, colour).map_err(Failure::Usage)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve_until_told(config))?;
    Ok(0)
}

async fn serve_until_told(config: Config) -> Result<(), Failure> {
    let mut signals = Signals::take()?;
    let server = Server::start(config).await?;
    print(&format!("listening on http://{}\n", server.address()))?;
    Ok(server.run(async move { signals.next().await }).await?)
}

fn start_logging(flags: &ServeFlags, colour: Colour) -> Result<(), String> {
    let filter = match std::env::var("RUST_LOG") {
        Ok(filter) => EnvFilter::try_new(filter).map_err(|error| format!("RUST_LOG: {error}"))?,
        Err(_) => {
            let asked = flags.log.as_deref().unwrap_or("info");
            // What lapin says is said by the queue, once and with what it means.
            let quiet = if asked.contains("lapin") { "" } else { ",lapin=off" };
            EnvFilter::try_new(format!("{asked}{quiet}"))
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

/// Checks the flags; `room` is the number of connections that fit the limit of open files.
pub(super) fn config(flags: &ServeFlags, room: u64) -> Result<Config, FlagError> {
    let within = |flag: &'static str, given: Option<Count>, default: u64, min: u64, max: u64| {
        let count = given.map_or(default, |count| count.0);
        if (min..=max).contains(&count) {
            Ok(count)
        } else {
            Err(FlagError::new(flag, format!("{count} is not between {min} and {max}")))
        }
    };
    let u32_max = u64::from(u32::MAX);
    let name = flags.item.as_deref().unwrap_or("default");
    let sale = Terms {
        item: name.parse().map_err(|error: IdError| FlagError::new("item", error.to_string()))?,
        stock: within("stock", flags.stock, 10, 0, u32_max)? as u32,
        per_buyer: within("per-buyer", flags.per_buyer, 1, 1, u32_max)? as u32,
        opens_us: flags.opens_at.map(|moment| moment.0),
        closes_us: flags.closes_at.map(|moment| moment.0),
    };
    sale.check().map_err(|problem| FlagError::new("closes-at", problem))?;
    let connections = within("max-connections", flags.max_connections, room, 1, u32_max)?;
    limits::check("max-connections", connections, room)?;
    if flags.admin_token.as_ref().is_some_and(|Secret(token)| token.is_empty()) {
        return Err(FlagError::new("admin-token", "is empty: give one, or leave it out"));
    }
    let queue_max = within("max-queue", flags.max_queue, 100_000, 1, u32_max)? as usize;
    let consumers = within("consumers", flags.consumers, 1, 1, CONSUMERS_MAX)? as usize;
    let role = flags.role.unwrap_or_default();
    let listen = match role {
        Role::Consumer => "127.0.0.1:0",
        Role::All | Role::Api => "127.0.0.1:7001",
    };
    let flaws = engines::flaws(flags);
    Ok(Config {
        listen: flags.listen.clone().unwrap_or_else(|| listen.into()),
        queue: engines::queue(flags, queue_max, &flaws)?,
        store: engines::store(flags, &flaws)?,
        accepts: role != Role::Consumer,
        consumers: if role == Role::Api { 0 } else { consumers },
        flaws,
        blind: flags.design == Some(Design::Article),
        fresh_sale: flags.fresh_sale.unwrap_or(false),
        data: flags.data.clone().unwrap_or_else(|| PathBuf::from(DATA_DEFAULT)),
        durability: flags.durability.unwrap_or_default(),
        prefetch: within("prefetch", flags.prefetch, 256, 1, PREFETCH_MAX as u64)? as usize,
        queue_max,
        connections_max: connections as usize,
        rate_limit: flags.rate_limit,
        admin_token: flags.admin_token.clone(),
        sale,
    })
}
