//! Reads a fault from the words of `--fault`.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::time::Duration;

use crate::escape::printable;
use crate::settings::Nodes;
use crate::similar::nearest;
use crate::units::{Count, Share, Span, UnitError};

use super::{Action, Fault, Part, ProcessAction, Toxic, ToxicKind, Trigger, Units, Way};

/// The longest delay, jitter and length of a fault, and the latest beginning.
pub(super) const TIME_MAX: Duration = Duration::from_secs(24 * 3600);

/// The keys of a fault.
const KEYS: [&str; 10] =
    ["at", "for", "what", "do", "delay", "jitter", "bytes", "rate", "way", "node"];

/// What a fault can do.
const ACTIONS: [&str; 14] = [
    "latency",
    "bandwidth",
    "slicer",
    "blackhole",
    "timeout",
    "reset",
    "slow-close",
    "limit-data",
    "down",
    "half-open",
    "pause",
    "kill",
    "wipe",
    "full",
];

/// A valid fault, for messages.
const EXAMPLE: &str = "at=5s for=10s what=broker do=blackhole";

impl FromStr for Fault {
    type Err = UnitError;

    fn from_str(text: &str) -> Result<Self, UnitError> {
        let mut words = Words(BTreeMap::new());
        for word in text.split_whitespace() {
            let Some((key, value)) = word.split_once('=') else {
                return Err(invalid(format!("`{}` is no key=value", printable(word))));
            };
            words.add(key, value)?;
        }
        words.fault()
    }
}

fn invalid(problem: impl Into<String>) -> UnitError {
    UnitError::new(format!("{}: write, for instance, {EXAMPLE}", problem.into()))
}

/// A word that is none of the known ones.
fn unknown(kind: &str, word: &str, known: &[&str]) -> UnitError {
    let cure = match nearest(word, known.iter().copied()) {
        Some(nearest) => format!("the nearest is `{nearest}`"),
        None => format!("it is one of {}", known.join(", ")),
    };
    UnitError::new(format!("`{}` is no {kind}: {cure}", printable(word)))
}

/// The words of a fault that were not used yet, by their keys.
pub(super) struct Words(BTreeMap<String, String>);

impl Words {
    /// The words of a table of a profile.
    pub(super) fn of(table: BTreeMap<String, String>) -> Result<Self, UnitError> {
        let mut words = Self(BTreeMap::new());
        table.iter().try_for_each(|(key, value)| words.add(key, value))?;
        Ok(words)
    }

    fn add(&mut self, key: &str, value: &str) -> Result<(), UnitError> {
        if !KEYS.contains(&key) {
            return Err(unknown("key of a fault", key, &KEYS));
        }
        match self.0.insert(key.to_owned(), value.to_owned()) {
            None => Ok(()),
            Some(_) => Err(invalid(format!("`{key}` is given twice"))),
        }
    }

    /// The fault, if every word is used.
    pub(super) fn fault(mut self) -> Result<Fault, UnitError> {
        let at = self.needed("at")?;
        let what = self.needed("what")?;
        let does = self.needed("do")?;
        let part = Part::ALL.into_iter().find(|part| part.as_str() == what);
        let words = Part::ALL.map(Part::as_str);
        let what = part.ok_or_else(|| unknown("part of the system", &what, &words))?;
        let (at, lasts) = (trigger(&at)?, self.time("for")?);
        let (does, word) = (self.action(&does)?, does);
        let nodes = self.nodes(what, does)?;
        let fault = Fault { at, lasts, what, does, nodes };
        if let Some(key) = self.0.keys().next() {
            return Err(UnitError::new(format!(
                "`{key}` says nothing about do={word}: leave it out"
            )));
        }
        if fault.lasts == Some(Duration::ZERO) {
            return Err(invalid("`for` must be above 0"));
        }
        match fault.what.refuses(&fault.does) {
            None => Ok(fault),
            Some(why) => Err(UnitError::new(format!("`{}` {why}", fault.what.as_str()))),
        }
    }

    fn action(&mut self, does: &str) -> Result<Action, UnitError> {
        let kind = match does {
            "pause" => return Ok(Action::Process(ProcessAction::Pause)),
            "kill" => return Ok(Action::Process(ProcessAction::Kill)),
            "wipe" => return Ok(Action::Process(ProcessAction::Wipe)),
            "full" => return Ok(Action::Process(ProcessAction::Full)),
            "latency" => {
                let (delay, jitter) = (self.delay(does)?, self.time("jitter")?);
                let jitter = jitter.unwrap_or_default();
                if jitter > delay {
                    return Err(invalid("`jitter` is over `delay`"));
                }
                ToxicKind::Latency { delay, jitter }
            }
            "bandwidth" => ToxicKind::Bandwidth { bytes_per_s: self.rate(does)? },
            "slicer" => ToxicKind::Slicer { bytes: self.bytes(does, 1)?, delay: self.delay(does)? },
            "blackhole" => ToxicKind::Blackhole,
            "timeout" => ToxicKind::Timeout { delay: self.delay(does)? },
            "reset" => ToxicKind::Reset,
            "slow-close" => ToxicKind::SlowClose { delay: self.delay(does)? },
            "limit-data" => ToxicKind::LimitData { bytes: self.bytes(does, 0)? },
            "down" => ToxicKind::Down,
            "half-open" => ToxicKind::HalfOpen,
            other => return Err(unknown("action of a fault", other, &ACTIONS)),
        };
        let has_way = kind.has_way();
        let way = match self.0.remove("way").as_deref() {
            None => Way::Both,
            Some(_) if !has_way => {
                return Err(UnitError::new(format!(
                    "`way` says nothing about do={does}: leave it out"
                )));
            }
            Some("both") => Way::Both,
            Some("up") => Way::Up,
            Some("down") => Way::Down,
            Some(other) => return Err(unknown("direction", other, &["up", "down", "both"])),
        };
        Ok(Action::Link(Toxic { kind, way }))
    }

    /// Which nodes of the broker's cluster it hits.
    fn nodes(&mut self, what: Part, does: Action) -> Result<Option<Nodes>, UnitError> {
        let Some(word) = self.0.remove("node") else { return Ok(None) };
        let has_nodes = what == Part::Broker
            && [ProcessAction::Pause, ProcessAction::Kill].map(Action::Process).contains(&does);
        if !has_nodes {
            return Err(UnitError::new(
                "`node` is of what=broker with do=pause or do=kill: leave it out",
            ));
        }
        let words = Nodes::ALL.map(Nodes::as_str);
        let nodes = Nodes::ALL.into_iter().find(|nodes| nodes.as_str() == word);
        nodes.map(Some).ok_or_else(|| unknown("node of a cluster", &word, &words))
    }

    fn needed(&mut self, key: &str) -> Result<String, UnitError> {
        self.0.remove(key).ok_or_else(|| invalid(format!("`{key}` is missing")))
    }

    fn time(&mut self, key: &str) -> Result<Option<Duration>, UnitError> {
        self.0.remove(key).map(|text| time(&text)).transpose()
    }

    fn delay(&mut self, does: &str) -> Result<Duration, UnitError> {
        let missing = || UnitError::new(format!("do={does} needs a time: add delay=100ms"));
        self.time("delay")?.ok_or_else(missing)
    }

    fn bytes(&mut self, does: &str, min: u64) -> Result<u64, UnitError> {
        let missing = || UnitError::new(format!("do={does} needs a number of bytes: add bytes=64"));
        let Count(bytes) = self.0.remove("bytes").ok_or_else(missing)?.parse()?;
        if bytes < min { Err(invalid("`bytes` must be at least 1")) } else { Ok(bytes) }
    }

    fn rate(&mut self, does: &str) -> Result<u64, UnitError> {
        let form = || UnitError::new(format!("do={does} needs bytes per second: add rate=64k/s"));
        let text = self.0.remove("rate").ok_or_else(form)?;
        let count = text.strip_suffix("/s").ok_or_else(form)?;
        match count.parse()? {
            Count(0) => Err(form()),
            Count(bytes_per_s) => Ok(bytes_per_s),
        }
    }
}

fn time(text: &str) -> Result<Duration, UnitError> {
    match text.parse()? {
        Span(time) if time > TIME_MAX => {
            Err(UnitError::new(format!("{} is over {}", Span(time), Span(TIME_MAX))))
        }
        Span(time) => Ok(time),
    }
}

fn trigger(text: &str) -> Result<Trigger, UnitError> {
    match text.strip_prefix("stock<") {
        None if text.starts_with("stock") => {
            Err(invalid(format!("`{}` is no trigger: write stock<50%", printable(text))))
        }
        None => time(text).map(Trigger::After),
        Some(share) if share.ends_with('%') => {
            Ok(Trigger::StockBelow(Units::Share(share.parse::<Share>()?.fraction())))
        }
        Some(number) => Ok(Trigger::StockBelow(Units::Number(number.parse::<Count>()?.0))),
    }
}
