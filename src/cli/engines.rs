//! The flags that say where queue and store are, and what is wrong with them.

use std::fmt::Write;
use std::time::Duration;

use crate::flaws::{Design, Flaw, Flaws};
use crate::profile::{FlagError, ServeFlags};
use crate::queue;
use crate::secret::EngineUrl;
use crate::server::{QueueAt, StoreAt};
use crate::settings::Role;
use crate::store::RedisOptions;
use crate::units::Span;

/// Longest time-out of the broker: the article's was 21 s.
const TIMEOUT_MAX: Duration = Duration::from_secs(60);

/// Longest name of a queue, in bytes: AMQP's 255, less what is added for the dead letters.
const QUEUE_NAME_LEN_MAX: usize = 200;

/// The broker, if there is one.
pub(super) fn queue(flags: &ServeFlags, max: usize, flaws: &Flaws) -> Result<QueueAt, FlagError> {
    let name = flags.queue_name.clone().unwrap_or_else(|| "seckill".into());
    if name.is_empty() || name.len() > QUEUE_NAME_LEN_MAX || name.starts_with("amq.") {
        let problem = format!("has 1 to {QUEUE_NAME_LEN_MAX} bytes, and does not begin with amq.");
        return Err(FlagError::new("queue-name", problem));
    }
    let publish_timeout = timeout("publish-timeout", flags.publish_timeout)?;
    let connect_timeout = timeout("broker-connect-timeout", flags.broker_connect_timeout)?;
    match url("queue", flags.queue.as_ref(), &["amqp", "amqps"])? {
        None => Ok(QueueAt::Embedded),
        Some(url) => Ok(QueueAt::RabbitMq(queue::Options {
            url,
            queue: name,
            queue_type: flags.queue_type.unwrap_or_default(),
            max,
            publish_timeout,
            connect_timeout,
            flaws: flaws.clone(),
        })),
    }
}

/// The Redis server, if there is one.
pub(super) fn store(flags: &ServeFlags, flaws: &Flaws) -> Result<StoreAt, FlagError> {
    Ok(match url("store", flags.store.as_ref(), &["redis", "rediss"])? {
        None => StoreAt::Embedded,
        Some(url) => StoreAt::Redis(RedisOptions { url, flaws: flaws.clone() }),
    })
}

/// The flaws of the design and those that were asked for.
pub(super) fn flaws(flags: &ServeFlags) -> Flaws {
    Flaws::of(flags.design.unwrap_or_default(), flags.flaw.as_deref().unwrap_or_default())
}

/// Checks what only makes sense together. Apart from the rest, since a profile may leave the
/// addresses to the environment.
pub(super) fn check(flags: &ServeFlags) -> Result<(), FlagError> {
    let is_shared = |url: &Option<EngineUrl>| url.as_ref().is_some_and(|url| !url.is_embedded());
    let (queue, store) = (is_shared(&flags.queue), is_shared(&flags.store));
    let role = flags.role.unwrap_or_default();
    if role != Role::All && !(queue && store) {
        let problem = "needs --queue amqp://… and --store redis://…: the embedded ones are one \
                       process's own";
        return Err(FlagError::new("role", problem));
    }
    let needs = |flaw: Flaw| match flaw {
        Flaw::ConnectionPerRequest | Flaw::UnconfirmedPublish | Flaw::TransientQueue => {
            (!queue).then_some("--queue amqp://…")
        }
        Flaw::CheckThenAct if !queue => Some("--queue amqp://…"),
        Flaw::CheckThenAct | Flaw::NoDedupe => (!store).then_some("--store redis://…"),
        Flaw::AckOnError | Flaw::GlobalResult => None,
    };
    for flaw in flaws(flags).iter() {
        if let Some(flag) = needs(flaw) {
            let design = flags.design == Some(Design::Article);
            let which = if design { "design" } else { "flaw" };
            let problem = format!("{} needs {flag}, or run under `seckill lab --`", flaw.name());
            return Err(FlagError::new(which, problem));
        }
    }
    Ok(())
}

/// What `--list-flaws` prints.
pub(super) fn list_flaws() -> String {
    let mut text = String::new();
    for flaw in Flaw::ALL {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}", flaw.name());
        let rows = [("does", flaw.does()), ("breaks", flaw.breaks()), ("from", flaw.source())];
        for (label, words) in rows {
            let _ = writeln!(text, "    {label:<7} {words}");
        }
    }
    text
}

fn url(
    flag: &'static str,
    url: Option<&EngineUrl>,
    schemes: &[&str],
) -> Result<Option<EngineUrl>, FlagError> {
    let Some(url) = url.filter(|url| !url.is_embedded()) else { return Ok(None) };
    if !schemes.contains(&url.scheme()) {
        // The value may hold a password: it is not repeated.
        let problem = format!("is neither embedded nor of the form {}://…", schemes[0]);
        return Err(FlagError::new(flag, problem));
    }
    if url.scheme() == schemes[1] && !cfg!(feature = "tls") {
        let problem = format!("{}:// needs a seckill built with --features tls", schemes[1]);
        return Err(FlagError::new(flag, problem));
    }
    Ok(Some(url.clone()))
}

fn timeout(flag: &'static str, given: Option<Span>) -> Result<Duration, FlagError> {
    let time = given.map_or(Duration::from_secs(5), |span| span.0);
    if time.is_zero() || time > TIMEOUT_MAX {
        return Err(FlagError::new(flag, format!("is above 0 and at most {TIMEOUT_MAX:?}")));
    }
    Ok(time)
}
