//! The plan: every check of what was asked happens here, before anything is started.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::Duration;

use hyper::Uri;
use serde::Serialize;

use crate::sale::ItemId;
use crate::units::{Count, Span};

use super::{BenchFlags, Buyers};

/// Where a server is looked for when nobody says.
const TARGET_DEFAULT: &str = "http://127.0.0.1:7001";

/// The scheme of HTTP over TLS.
const HTTPS: &str = "https";

/// What is told when that is asked of a build without it.
const NO_TLS: &str = "https:// needs a build with TLS: cargo build --release --features tls";

/// Most virtual users: far above what one machine's ports allow to one address.
const THREADS_MAX: u64 = 1 << 20;

/// Longest time-out, so that every latency is told apart in the histograms.
const TIMEOUT_MAX: Duration = Duration::from_secs(300);

/// Longest ramp, duration and think time.
const TIME_MAX: Duration = Duration::from_secs(7 * 24 * 3600);

/// Most attempts of one user: request ids count them in 36 bits.
const LOOPS_MAX: u64 = 1 << 36;

/// Whom to load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Target {
    /// `http://host:port`, or `https://host:port`.
    pub url: String,
    /// `host:port`, for the `Host` header.
    #[serde(skip)]
    pub host: String,
    /// The address behind it.
    #[serde(skip)]
    pub address: SocketAddr,
    /// All addresses behind it: `localhost` may have two, of which one is listened on.
    #[serde(skip)]
    pub addresses: Vec<SocketAddr>,
}

/// What is to be run, checked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Virtual users; at least 1.
    pub threads: u64,
    /// Time over which they start.
    #[serde(serialize_with = "span")]
    pub ramp: Duration,
    /// Attempts of each; no limit when `None`.
    pub loops: Option<u64>,
    /// No attempt begins after this time.
    #[serde(serialize_with = "optional_span")]
    pub duration: Option<Duration>,
    /// Pause between an answer and the next attempt.
    #[serde(serialize_with = "span")]
    pub think: Duration,
    /// Who buys.
    pub buyers: Buyers,
    /// What, if it was said.
    #[serde(serialize_with = "item")]
    pub item: Option<ItemId>,
    /// Whether a user keeps its connection.
    pub keepalive: bool,
    /// Longest time for a connection to open.
    #[serde(serialize_with = "span")]
    pub connect_timeout: Duration,
    /// Longest time for an answer, once connected.
    #[serde(serialize_with = "span")]
    pub timeout: Duration,
    /// Longest wait until all that was accepted is decided.
    #[serde(serialize_with = "span")]
    pub settle_timeout: Duration,
    /// What buyers and request ids are made from.
    pub seed: u64,
}

/// What is wrong with what was asked, by flag, with the cure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("--{flag}: {problem}")]
pub struct FlagError {
    /// The flag, without its dashes.
    pub flag: &'static str,
    /// What is wrong, and what would be right.
    pub problem: String,
}

impl FlagError {
    /// Something is wrong with a flag.
    pub fn new(flag: &'static str, problem: impl Into<String>) -> Self {
        Self { flag, problem: problem.into() }
    }
}

fn wrong(flag: &'static str, problem: impl Into<String>) -> FlagError {
    FlagError::new(flag, problem)
}

impl Plan {
    /// Checks flags; `random_seed` is used where none was given.
    ///
    /// # Errors
    /// The first flag that is wrong.
    pub fn new(flags: &BenchFlags, random_seed: u64) -> Result<Self, FlagError> {
        if flags.spawn == Some(true) && flags.target.is_some() {
            return Err(wrong("spawn", "starts a server of its own: leave out --target"));
        }
        let count = |flag, given: Option<Count>, max| match given {
            Some(Count(0)) => Err(wrong(flag, "must be at least 1")),
            Some(Count(n)) if n > max => Err(wrong(flag, format!("{n} is over {max}"))),
            given => Ok(given.map(|count| count.0)),
        };
        let time = |flag, given: Option<Span>, default, max| match given {
            Some(Span(time)) if time > max => {
                Err(wrong(flag, format!("{} is over {}", Span(time), Span(max))))
            }
            given => Ok(given.map_or(default, |span| span.0)),
        };
        let timeout = |flag, given, default_s| match time(
            flag,
            given,
            Duration::from_secs(default_s),
            TIMEOUT_MAX,
        )? {
            Duration::ZERO => Err(wrong(flag, "must be above 0")),
            timeout => Ok(timeout),
        };
        let duration = flags.duration.map(|_| time("duration", flags.duration, TIME_MAX, TIME_MAX));
        let duration = duration.transpose()?;
        if duration == Some(Duration::ZERO) {
            return Err(wrong("duration", "must be above 0"));
        }
        let loops = count("loops", flags.loops, LOOPS_MAX)?;
        let item = flags.item.as_deref().map(str::parse::<ItemId>).transpose();
        Ok(Self {
            threads: count("threads", flags.threads, THREADS_MAX)?.unwrap_or(1),
            ramp: time("ramp", flags.ramp, Duration::ZERO, TIME_MAX)?,
            loops: if duration.is_none() { loops.or(Some(1)) } else { loops },
            duration,
            think: time("think", flags.think, Duration::ZERO, TIME_MAX)?,
            buyers: flags.buyers.unwrap_or(Buyers::New),
            item: item.map_err(|error| wrong("item", error.to_string()))?,
            keepalive: !flags.no_keepalive.unwrap_or(false),
            connect_timeout: timeout("connect-timeout", flags.connect_timeout, 5)?,
            timeout: timeout("timeout", flags.timeout, 30)?,
            settle_timeout: timeout("settle-timeout", flags.settle_timeout, 30)?,
            seed: flags.seed.unwrap_or(random_seed),
        })
    }
}

impl Target {
    /// Checks a URL and looks its host up.
    ///
    /// # Errors
    /// When it is no `http://host:port`, nor `https://host:port` in a build with TLS, or the host
    /// has no address.
    pub fn new(url: Option<&str>) -> Result<Self, FlagError> {
        let url = url.unwrap_or(TARGET_DEFAULT);
        let shape = || wrong("target", format!("`{url}` is not of the form http://host:port"));
        let uri: Uri = url.parse().map_err(|_| shape())?;
        let (scheme, default_port) = match uri.scheme_str() {
            Some("http") => ("http", 80),
            Some("https") if !cfg!(feature = "tls") => return Err(wrong("target", NO_TLS)),
            Some("https") => (HTTPS, 443),
            _ => return Err(shape()),
        };
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(wrong("target", format!("`{url}` has a path: give only http://host:port")));
        }
        let authority = uri.authority().ok_or_else(shape)?;
        if authority.as_str().contains('@') {
            return Err(wrong("target", "a user name in the URL is not supported"));
        }
        let port = authority.port_u16().unwrap_or(default_port);
        let bare_host = authority.host().trim_start_matches('[').trim_end_matches(']');
        let addresses = (bare_host, port).to_socket_addrs();
        let unknown = || wrong("target", format!("the host `{bare_host}` has no address"));
        let addresses: Vec<_> = addresses.map_err(|_| unknown())?.collect();
        let address = *addresses.first().ok_or_else(unknown)?;
        let host = format!("{}:{port}", authority.host());
        Ok(Self { url: format!("{scheme}://{host}"), host, address, addresses })
    }

    /// Whether TLS is spoken.
    pub fn is_https(&self) -> bool {
        self.url.split_once("://").is_some_and(|(scheme, _)| scheme == HTTPS)
    }

    /// The host without its port, an IPv6 address without its brackets: what a certificate is for.
    pub fn name(&self) -> &str {
        let name = self.host.rsplit_once(':').map_or(&*self.host, |(name, _)| name);
        name.trim_start_matches('[').trim_end_matches(']')
    }
}

fn span<S: serde::Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    Span(*time).serialize(serializer)
}

fn optional_span<S: serde::Serializer>(
    time: &Option<Duration>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    time.map(Span).serialize(serializer)
}

fn item<S: serde::Serializer>(item: &Option<ItemId>, serializer: S) -> Result<S::Ok, S::Error> {
    item.as_ref().map(ItemId::as_str).serialize(serializer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loops_are_one_unless_a_duration_is_given() {
        let plan = Plan::new(&BenchFlags::default(), 1).unwrap();
        assert_eq!((plan.loops, plan.duration, plan.threads), (Some(1), None, 1));
        let flags = BenchFlags { duration: "5s".parse().ok(), ..BenchFlags::default() };
        assert_eq!(Plan::new(&flags, 1).unwrap().loops, None);
    }

    #[test]
    fn a_wrong_flag_is_named() {
        let cases = [
            (BenchFlags { threads: Some(Count(0)), ..BenchFlags::default() }, "--threads"),
            (BenchFlags { timeout: "0s".parse().ok(), ..BenchFlags::default() }, "--timeout"),
            (BenchFlags { ramp: "30days".parse().ok(), ..BenchFlags::default() }, "--ramp"),
            (BenchFlags { item: Some("a b".into()), ..BenchFlags::default() }, "--item"),
        ];
        for (flags, named) in cases {
            let error = Plan::new(&flags, 1).unwrap_err().to_string();
            assert!(error.starts_with(named), "{error}");
        }
    }

    #[test]
    fn targets_are_plain_http_on_a_host() {
        let target = Target::new(Some("http://127.0.0.1:81/")).unwrap();
        assert_eq!(target.url, "http://127.0.0.1:81");
        assert_eq!(Target::new(Some("http://[::1]:81")).unwrap().host, "[::1]:81");
        for bad in ["", "127.0.0.1:80", "ftp://a", "http://a/b", "http://u@a", "https://a/b"] {
            assert!(Target::new(Some(bad)).is_err(), "{bad}");
        }
        assert!(!target.is_https());
        assert_eq!(Target::new(Some("http://[::1]")).unwrap().name(), "::1");
    }

    #[test]
    fn https_is_a_matter_of_the_build() {
        let target = Target::new(Some("HTTPS://localhost"));
        if cfg!(feature = "tls") {
            let target = target.unwrap();
            assert_eq!((&*target.url, target.name()), ("https://localhost:443", "localhost"));
            assert!(target.is_https());
            assert_eq!(target.address.port(), 443);
        } else {
            assert!(target.unwrap_err().to_string().contains("--features tls"));
        }
    }
}
