//! The flags that say where queue and store are, and their checks.

use std::time::Duration;

use lapin::uri::AMQPUri;
use redis::IntoConnectionInfo;

use crate::escape::printable;
use crate::flaws::{Design, Engines, Flaw, Flaws};
use crate::secret::{EngineUrl, Secret};
use crate::settings::{QueueType, Role};
use crate::units::{Count, Span};

use super::check::FlagError;
use super::flags::ServeFlags;

/// Longest time-out of the broker: the article's was 21 s.
const TIMEOUT_MAX: Duration = Duration::from_secs(60);

/// Longest name of a queue, in bytes: AMQP's 255, less the suffix of the dead-letter queue.
const QUEUE_NAME_LEN_MAX: usize = 200;

/// How the address of a broker is written.
const BROKER_FORM: &str = "amqp://user:password@host:5672/vhost";

/// How the address of a Redis is written.
const REDIS_FORM: &str = "redis://user:password@host:6379/0, or for a cluster \
                          redis+cluster://user:password@host1:6379,host2:6379";

/// Most nodes of a cluster that one address names: any one of them leads to the others.
const NODES_MAX: usize = 64;
/// Most brokers of one address: more than the nodes over which a quorum queue is usefully spread.
const BROKERS_MAX: usize = 16;

/// A queue in a broker.
#[derive(Debug, Clone)]
pub struct BrokerPlan {
    /// The broker's address; that of a cluster has the hosts of several brokers.
    pub url: EngineUrl,
    /// The name of the queue.
    pub queue: String,
    /// The type of the queue.
    pub queue_type: QueueType,
    /// Time-out for a confirm of a published message.
    pub publish_timeout: Duration,
    /// Time-out for opening a connection.
    pub connect_timeout: Duration,
}

/// The broker; `None` for the embedded queue.
pub(super) fn broker(flags: &ServeFlags) -> Result<Option<BrokerPlan>, FlagError> {
    let queue = flags.queue_name.clone().unwrap_or_else(|| "seckill".into());
    if queue.is_empty() || queue.len() > QUEUE_NAME_LEN_MAX || queue.starts_with("amq.") {
        let problem = format!("must have 1 to {QUEUE_NAME_LEN_MAX} bytes and not begin with amq.");
        return Err(FlagError::new("queue-name", problem));
    }
    let publish_timeout = timeout("publish-timeout", flags.publish_timeout)?;
    let connect_timeout = timeout("broker-connect-timeout", flags.broker_connect_timeout)?;
    let queue_type = flags.queue_type.unwrap_or_default();
    let url = url("queue", flags.queue.as_ref(), &["amqp", "amqps"])?;
    for host in url.iter().flat_map(EngineUrl::each_host) {
        let read = host.expose().parse::<AMQPUri>();
        read.map_err(|problem| unreadable("queue", BROKER_FORM, &problem))?;
    }
    Ok(url.map(|url| BrokerPlan { url, queue, queue_type, publish_timeout, connect_timeout }))
}

/// The Redis server or cluster; `None` for the embedded store.
pub(super) fn redis(flags: &ServeFlags) -> Result<Option<EngineUrl>, FlagError> {
    let schemes = ["redis", "rediss", "redis+cluster", "rediss+cluster"];
    let url = url("store", flags.store.as_ref(), &schemes)?;
    url.as_ref().map_or(Ok(()), check_redis)?;
    Ok(url)
}

/// Checks that an address names one server, or the nodes of a cluster. The messages omit the value,
/// which may contain a password.
fn check_redis(url: &EngineUrl) -> Result<(), FlagError> {
    let invalid = |problem: &str| Err(FlagError::new("store", problem));
    let hosts = url.hosts();
    match url.is_redis_cluster() {
        false if hosts.len() > 1 => invalid(
            "has several hosts: write redis+cluster://host1:6379,host2:6379 for a Redis Cluster, \
             or give one host",
        ),
        false => Ok(()),
        true if hosts.len() > NODES_MAX || hosts.contains(&"") || repeats_what_is_once(url) => {
            invalid(&format!(
                "does not name the nodes of a cluster: write scheme, user and password once and 1 \
                 to {NODES_MAX} hosts with commas between them, as in \
                 redis+cluster://user:password@host1:6379,host2:6379; an @ in a password is %40"
            ))
        }
        true if !matches!(url.path(), None | Some("" | "0")) => invalid(
            "names a database, of which a cluster has one: leave out what follows the hosts",
        ),
        true => Ok(()),
    }?;
    url.redis_nodes().iter().try_for_each(|node| {
        let read = node.expose().into_connection_info().map(drop);
        read.map_err(|error| unreadable("store", REDIS_FORM, &error.to_string()))
    })
}

/// An error about an address that the client of its engine does not read.
fn unreadable(flag: &'static str, form: &str, problem: &str) -> FlagError {
    FlagError::new(flag, format!("is not of the form {form} ({})", printable(problem)))
}

/// The flaws of the design and those that flags name.
pub(super) fn flaws(flags: &ServeFlags) -> Flaws {
    Flaws::of(flags.design.unwrap_or_default(), flags.flaw.as_deref().unwrap_or_default())
}

/// Checks flags that only make sense together. It is apart from the other checks, since a profile
/// may leave the addresses to the environment.
pub(super) fn check_engines(flags: &ServeFlags) -> Result<(), FlagError> {
    let is_shared = |url: &Option<EngineUrl>| url.as_ref().is_some_and(|url| !url.is_embedded());
    let (queue, store) = (is_shared(&flags.queue), is_shared(&flags.store));
    let role = flags.role.unwrap_or_default();
    if role != Role::All && !(queue && store) {
        let problem = "needs --queue amqp://… and --store redis://…: the embedded ones serve one \
                       process";
        return Err(FlagError::new("role", problem));
    }
    let needs = |flaw: Flaw| match flaw.engines() {
        Engines::Any => None,
        Engines::Broker | Engines::BrokerAndRedis if !queue => Some("--queue amqp://…"),
        Engines::Broker => None,
        Engines::BrokerAndRedis => (!store).then_some("--store redis://…"),
    };
    check_steps(flags)?;
    check_slots(flags)?;
    check_buckets(flags, store)?;
    check_keeping(flags, store)?;
    let by_steps = [Flaw::CheckThenAct, Flaw::CacheRefillInFlight];
    let chosen = self::flaws(flags);
    if let Some(flaw) =
        by_steps.iter().find(|flaw| flags.hold.is_some() && store && chosen.has(**flaw))
    {
        let problem = format!("{} makes orders in Redis that are not held", flaw.name());
        return Err(FlagError::new("hold", problem));
    }
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

/// Checks that no flaw uses keys that a cluster would put on several nodes.
fn check_slots(flags: &ServeFlags) -> Result<(), FlagError> {
    let in_cluster = flags.store.as_ref().is_some_and(EngineUrl::is_redis_cluster);
    if in_cluster && flaws(flags).has(Flaw::CheckThenAct) {
        let which = if flags.design == Some(Design::Article) { "design" } else { "flaw" };
        let problem = format!(
            "{} uses the article's keys, which are on several nodes of a Redis Cluster: use a \
             single Redis, --store redis://…",
            Flaw::CheckThenAct.name()
        );
        return Err(FlagError::new(which, problem));
    }
    Ok(())
}

/// Checks that the store can be spread over several buckets.
fn check_buckets(flags: &ServeFlags, has_redis: bool) -> Result<(), FlagError> {
    let problem = match flags.stock_buckets {
        None | Some(Count(..=1)) => return Ok(()),
        Some(_) if !has_redis => {
            "needs --store redis://… or redis+cluster://…: the embedded store has one bucket"
        }
        Some(_) if flaws(flags).iter().next().is_some() => {
            "cannot be above 1 with --flaw or --design article: flaws know one bucket"
        }
        Some(_) => return Ok(()),
    };
    Err(FlagError::new("stock-buckets", problem))
}

/// Checks that the store is one that drops replaced sales.
fn check_keeping(flags: &ServeFlags, has_redis: bool) -> Result<(), FlagError> {
    if flags.keep_replaced.is_none() || !has_redis {
        return Ok(());
    }
    let problem = "needs the embedded store: Redis keeps replaced sales until somebody empties it";
    Err(FlagError::new("keep-replaced", problem))
}

/// Checks that no two flaws replace the same step: one of them would not show.
fn check_steps(flags: &ServeFlags) -> Result<(), FlagError> {
    let chosen = flaws(flags);
    if flags.design == Some(Design::Article) && chosen.has(Flaw::StickySoldOut) {
        let name = Flaw::StickySoldOut.name();
        let problem = format!("{name} replaces the admission, as --design article does");
        return Err(FlagError::new("flaw", problem));
    }
    for group in Flaw::SAME_STEP {
        let both: Vec<_> = group.iter().filter(|flaw| chosen.has(**flaw)).collect();
        if let [one, other, ..] = both[..] {
            let (one, other) = (one.name(), other.name());
            let problem = format!("{one} and {other} replace the same step: choose one");
            return Err(FlagError::new("flaw", problem));
        }
    }
    Ok(())
}

fn url(
    flag: &'static str,
    url: Option<&EngineUrl>,
    schemes: &[&str],
) -> Result<Option<EngineUrl>, FlagError> {
    let Some(url) = url.filter(|url| !url.is_embedded()) else { return Ok(None) };
    if !schemes.contains(&url.scheme()) {
        // The message omits the value, which may contain a password.
        let forms = schemes.iter().filter(|scheme| !scheme.starts_with(schemes[1]));
        let forms: Vec<_> = forms.map(|scheme| format!("{scheme}://…")).collect();
        let problem = format!("is neither embedded nor of the form {}", forms.join(" or "));
        return Err(FlagError::new(flag, problem));
    }
    if flag == "queue" && url.path() == Some("") {
        let problem = "names the empty virtual host: leave out the / at its end for the default \
                       one, or name one, as in amqp://host:5672/vhost";
        return Err(FlagError::new(flag, problem));
    }
    if flag == "queue" {
        check_brokers(url)?;
    }
    if url.scheme().starts_with(schemes[1]) && !cfg!(feature = "tls") {
        let scheme = url.scheme();
        let problem = format!("{scheme}:// needs a seckill built with --features tls");
        return Err(FlagError::new(flag, problem));
    }
    Ok(Some(url.clone()))
}

/// Checks that an address names its brokers as it has to. The messages omit the value, which may
/// contain a password.
fn check_brokers(url: &EngineUrl) -> Result<(), FlagError> {
    let hosts = url.hosts();
    if hosts.len() > BROKERS_MAX {
        let problem = format!("has {} brokers: give at most {BROKERS_MAX}", hosts.len());
        return Err(FlagError::new("queue", problem));
    }
    let has_no_host = hosts.len() > 1 && hosts.contains(&"");
    // What follows the first virtual host is read as a part of it.
    let after_comma = url.path().and_then(|path| Some(path.split_once(',')?.1));
    let has_second_virtual_host = after_comma.is_some_and(|rest| rest.contains('/'));
    if has_no_host || has_second_virtual_host || repeats_what_is_once(url) {
        let problem = "does not name its brokers: write scheme, user, password and virtual host \
                       once, and the hosts with commas between them, as in \
                       amqp://user:password@host1:5672,host2:5672/vhost; an @ in a password is %40";
        return Err(FlagError::new("queue", problem));
    }
    Ok(())
}

/// Whether an address with several hosts has its scheme, or user and password, before each of them.
fn repeats_what_is_once(url: &EngineUrl) -> bool {
    let hosts = url.hosts();
    // The hosts end where a second scheme has its slashes, so that its colon is at their end.
    let has_second_scheme = hosts.len() > 1 && hosts.iter().any(|host| host.ends_with(':'));
    // A user and a password before each host make all but the last host a part of the password.
    let has_second_login = url.user_info().and_then(|Secret(text)| {
        let (_, rest) = text.split_once('@')?;
        Some(rest.split_once(',')?.1.contains(':'))
    });
    has_second_scheme || has_second_login == Some(true)
}

fn timeout(flag: &'static str, given: Option<Span>) -> Result<Duration, FlagError> {
    let time = given.map_or(Duration::from_secs(5), |span| span.0);
    if time.is_zero() || time > TIMEOUT_MAX {
        return Err(FlagError::new(flag, format!("must be above 0 and at most {TIMEOUT_MAX:?}")));
    }
    Ok(time)
}
