//! The metrics on which thresholds can be set, and their names.

use std::fmt;

use crate::stats::ErrorKind;

use super::unit::Form;

/// The name of the payments without a usable answer.
const PAYMENT_ERRORS: &str = "payment.errors";

/// A figure of a run that a threshold can be set on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Metric {
    /// A statistic of a distribution of times.
    Time(Times, Statistic),
    /// Requests without a usable answer.
    Errors,
    /// Payments without a usable answer.
    PaymentErrors,
    /// Usable answers with this outcome, by its word.
    Outcome(String),
    /// Errors of this kind, by its word.
    Error(String),
    /// Requests per second.
    Rate,
    /// CPU time of a process for each request, in microseconds.
    CpuUsPerRequest(Process),
    /// Maximum memory of a process.
    RssBytesMax(Process),
    /// Orders above the stock.
    Oversold,
    /// Accepted attempts that lost to later ones.
    FifoViolations,
    /// The Gini coefficient of the orders over the buyers.
    Gini,
}

/// A closed set of words, which are the names of its members.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$variant_doc:meta])* $variant:ident => $word:literal,)*
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum $name { $($(#[$variant_doc])* $variant),* }

        impl $name {
            pub(super) const ALL: &[Self] = &[$(Self::$variant),*];

            pub(super) fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            pub(super) fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|member| member.as_str() == word)
            }
        }
    };
}

named! {
    /// A distribution of times.
    Times {
        /// Begin to last byte, of all requests.
        Latency => "latency",
        /// Intended begin to last byte.
        Corrected => "corrected",
        /// The latency of the attempts that were taken.
        Accepted => "accepted",
        /// The latency of the refusals.
        Refused => "refused",
        /// The time until the requests without a usable answer failed.
        Failed => "failed",
        /// Begin to an open connection.
        Connect => "connect",
        /// Begin to the first byte of the answer.
        FirstByte => "first_byte",
        /// The lag of the generator.
        Lag => "lag",
        /// Acceptance, or the click, to the decision.
        Settle => "settle",
        /// Begin to last byte, of the payments for held orders.
        Payment => "payment",
    }
}

named! {
    /// A statistic of a distribution.
    #[allow(missing_docs, reason = "the names describe the variants")]
    Statistic {
        Min => "min",
        Mean => "mean",
        Stddev => "stddev",
        P50 => "p50",
        P90 => "p90",
        P95 => "p95",
        P99 => "p99",
        P999 => "p999",
        Max => "max",
    }
}

named! {
    /// A process of a run.
    #[allow(missing_docs, reason = "the names describe the variants")]
    Process {
        Server => "server",
        Generator => "generator",
    }
}

impl Metric {
    /// The metric with this name; `None` if there is none. `outcomes` are the words of the outcomes
    /// that the tested system can have.
    pub(super) fn from_name(name: &str, outcomes: &[&str]) -> Option<Self> {
        // The percentile has a point in its name, as the metrics of the groups have.
        let statistic = |word: &str| match word {
            "p99.9" => Some(Statistic::P999),
            word => Statistic::from_word(word),
        };
        if let Some(statistic) = statistic(name) {
            return Some(Self::Time(Times::Latency, statistic));
        }
        let Some((group, word)) = name.split_once('.') else {
            return match name {
                "errors" => Some(Self::Errors),
                "rate" => Some(Self::Rate),
                "oversold" => Some(Self::Oversold),
                "fifo_violations" => Some(Self::FifoViolations),
                "gini" => Some(Self::Gini),
                _ => None,
            };
        };
        if name == PAYMENT_ERRORS {
            return Some(Self::PaymentErrors);
        }
        if let Some(times) = Times::from_word(group) {
            return Some(Self::Time(times, statistic(word)?));
        }
        if let Some(process) = Process::from_word(group) {
            return match word {
                "cpu_us_per_request" => Some(Self::CpuUsPerRequest(process)),
                "rss_bytes_max" => Some(Self::RssBytesMax(process)),
                _ => None,
            };
        }
        match group {
            "outcome" if outcomes.contains(&word) => Some(Self::Outcome(word.to_owned())),
            "error" if is_error(word) => Some(Self::Error(word.to_owned())),
            _ => None,
        }
    }

    /// The names of all metrics, with `error.http_500` for those of the statuses.
    pub(super) fn names(outcomes: &[&str]) -> Vec<String> {
        let statistics = Statistic::ALL.iter().copied();
        let times = Times::ALL.iter().flat_map(|times| {
            statistics.clone().map(|statistic| Self::Time(*times, statistic).to_string())
        });
        let plain = [
            Self::Errors,
            Self::PaymentErrors,
            Self::Rate,
            Self::Oversold,
            Self::FifoViolations,
            Self::Gini,
        ];
        let processes = Process::ALL.iter().copied();
        let of_processes = processes
            .flat_map(|process| [Self::CpuUsPerRequest(process), Self::RssBytesMax(process)]);
        let outcomes = outcomes.iter().map(|word| Self::Outcome((*word).to_owned()));
        let errors = ErrorKind::NAMED.iter().chain([&ErrorKind::Http(500)]);
        let errors = errors.map(|kind| Self::Error(kind.to_string()));
        let others = plain.into_iter().chain(of_processes).chain(outcomes).chain(errors);
        times.chain(others.map(|metric| metric.to_string())).collect()
    }

    /// The form of its limits.
    pub(super) fn form(&self) -> Form {
        match self {
            Self::Time(..) => Form::Time,
            Self::Errors | Self::PaymentErrors | Self::Outcome(_) | Self::Error(_) => {
                Form::ShareOrCount
            }
            Self::Rate => Form::Rate,
            Self::CpuUsPerRequest(_) => Form::Number,
            Self::Gini => Form::Fraction,
            Self::RssBytesMax(_) => Form::Bytes,
            Self::Oversold | Self::FifoViolations => Form::Count,
        }
    }

    /// Whether the figure is known while requests are sent.
    pub(super) fn is_live(&self) -> bool {
        match self {
            Self::Time(times, _) => !matches!(times, Times::Settle | Times::Payment),
            Self::Errors | Self::Outcome(_) | Self::Error(_) | Self::Rate => true,
            Self::PaymentErrors
            | Self::CpuUsPerRequest(_)
            | Self::RssBytesMax(_)
            | Self::Oversold
            | Self::FifoViolations
            | Self::Gini => false,
        }
    }
}

/// The name: that of the service's latency is the statistic alone.
impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(Times::Latency, statistic) => f.write_str(statistic.as_str()),
            Self::Time(times, statistic) => {
                write!(f, "{}.{}", times.as_str(), statistic.as_str())
            }
            Self::Errors => f.write_str("errors"),
            Self::PaymentErrors => f.write_str(PAYMENT_ERRORS),
            Self::Outcome(word) => write!(f, "outcome.{word}"),
            Self::Error(word) => write!(f, "error.{word}"),
            Self::Rate => f.write_str("rate"),
            Self::CpuUsPerRequest(process) => write!(f, "{}.cpu_us_per_request", process.as_str()),
            Self::RssBytesMax(process) => write!(f, "{}.rss_bytes_max", process.as_str()),
            Self::Oversold => f.write_str("oversold"),
            Self::FifoViolations => f.write_str("fifo_violations"),
            Self::Gini => f.write_str("gini"),
        }
    }
}

/// Whether a word names a kind of errors.
fn is_error(word: &str) -> bool {
    let status = word.strip_prefix("http_").filter(|digits| digits.len() == 3);
    status.is_some_and(|status| status.parse::<u16>().is_ok_and(|status| status >= 100))
        || ErrorKind::NAMED.iter().any(|kind| kind.to_string() == word)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    const OUTCOMES: &[&str] = &["queued", "sold_out"];

    #[test]
    fn every_name_leads_back_to_its_metric() {
        let names = Metric::names(OUTCOMES);
        for name in &names {
            let metric = Metric::from_name(name, OUTCOMES);
            assert_eq!(metric.map(|metric| metric.to_string()).as_ref(), Some(name));
        }
        assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len());
        let groups = ["p99", "settle.p999", "errors", "rate", "server.rss_bytes_max", "gini"];
        for name in groups.iter().chain(&["outcome.sold_out", "error.timeout", "error.http_500"]) {
            assert!(names.iter().any(|known| known == name), "{name}");
        }
    }

    #[test]
    fn service_latency_and_its_longest_percentile_have_a_second_name() {
        let metric = |name| Metric::from_name(name, OUTCOMES);
        for (name, same) in [
            ("latency.p99", "p99"),
            ("p99.9", "p999"),
            ("latency.p99.9", "p999"),
            ("accepted.p99.9", "accepted.p999"),
        ] {
            assert!(metric(name).is_some(), "{name}");
            assert_eq!(metric(name), metric(same), "{name}");
        }
        assert_ne!(metric("accepted.p99"), metric("p99"));
    }

    #[test]
    fn other_words_name_no_metric() {
        for name in [
            "",
            "p98",
            "P99",
            "accepted",
            "accepted.",
            "accepted.p98",
            "outcome",
            "outcome.won ",
            "outcome.tea",
            "error.http_99",
            "error.http_0500",
            "error.http_+50",
            "error.teapot",
            "server.cpu",
            "server.p99",
            "gini.p99",
            ".p99",
            "p99.",
            "p99.99",
        ] {
            assert_eq!(Metric::from_name(name, OUTCOMES), None, "{name}");
        }
    }
}
