//! The catalogue of flaws: bugs of real systems that the server can reproduce, and the designs that
//! combine them.
//!
//! Flaws are chosen once, at start-up. Their implementations are in the `flaws/` folders of the
//! server, the queue and the store.

use serde::{Deserialize, Serialize};

/// A design of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Design {
    /// Durable and idempotent, without flaws
    #[default]
    Hardened,
    /// The article's design, with all of its flaws
    Article,
}

macro_rules! flaws {
    ($($(#[$doc:meta])* $flaw:ident {
        name: $name:literal, does: $does:literal, breaks: $breaks:literal
    })*) => {
        /// A bug of a real system.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[derive(Deserialize, Serialize, clap::ValueEnum)]
        #[serde(rename_all = "kebab-case")]
        pub enum Flaw { $($(#[$doc])* $flaw),* }

        impl Flaw {
            /// All flaws.
            pub const ALL: &[Self] = &[$(Self::$flaw),*];

            /// Its name on the command line.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$flaw => $name),* }
            }

            /// What it does.
            pub const fn does(self) -> &'static str {
                match self { $(Self::$flaw => $does),* }
            }

            /// Its consequence, and the invariant that reveals it.
            pub const fn breaks(self) -> &'static str {
                match self { $(Self::$flaw => $breaks),* }
            }
        }
    };
}

flaws! {
    /// Reads the stock, then decides, then takes one.
    CheckThenAct {
        name: "check-then-act",
        does: "the consumer reads `count`, and takes a unit in a second step",
        breaks: "two consumers see the same last unit and both sell it (never_oversold)"
    }
    /// Opens a connection for each publish and never closes it.
    ConnectionPerRequest {
        name: "connection-per-request",
        does: "each attempt opens a connection to the broker, and leaves it open",
        breaks: "the broker runs out of files and accepts no more connections: every attempt \
                 waits for --broker-connect-timeout and fails with http_500"
    }
    /// Publishes without a confirm.
    UnconfirmedPublish {
        name: "unconfirmed-publish",
        does: "answers 202 when the message is written to a socket, without a confirm",
        breaks: "attempts that the broker rejects or loses were accepted (accepted_decided)"
    }
    /// Keeps the queue in the broker's memory.
    TransientQueue {
        name: "transient-queue",
        does: "declares a queue that is not durable, for messages that are not persistent",
        breaks: "a restart of the broker loses accepted attempts (accepted_decided)"
    }
    /// Acknowledges batches that could not be decided.
    AckOnError {
        name: "ack-on-error",
        does: "the consumer acknowledges an attempt even when the store failed",
        breaks: "a short failure of the store loses accepted attempts (accepted_decided)"
    }
    /// Decides an attempt as often as it is delivered.
    NoDedupe {
        name: "no-dedupe",
        does: "an attempt that is delivered again is decided again",
        breaks: "one attempt gets two orders (request_ids_unique, buyer_limit)"
    }
    /// Answers every result request with the state of the sale.
    GlobalResult {
        name: "global-result",
        does: "GET /result/{request_id} answers with the state of the sale, not of the attempt",
        breaks: "a winner gets the answer `lost` (results_true)"
    }
}

/// The system that had the flaws.
const ARTICLE: &str = "a Node, RabbitMQ and Redis flash sale that an article described: 350 \
                       JMeter threads, 79 % errors";

impl Flaw {
    /// The system that had it.
    pub const fn source(self) -> &'static str {
        ARTICLE
    }
}

/// A set of flaws; empty for the hardened design.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flaws(Vec<Flaw>);

impl Flaws {
    /// The flaws of a design, and `more`.
    pub fn of(design: Design, more: &[Flaw]) -> Self {
        let of_design = match design {
            Design::Hardened => &[],
            Design::Article => Flaw::ALL,
        };
        let mut flaws = [of_design, more].concat();
        flaws.sort_unstable();
        flaws.dedup();
        Self(flaws)
    }

    /// Whether the set contains this flaw.
    pub fn has(&self, flaw: Flaw) -> bool {
        self.0.contains(&flaw)
    }

    /// The flaws of the set.
    pub fn iter(&self) -> impl Iterator<Item = Flaw> {
        self.0.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;

    #[test]
    fn each_flaw_has_the_same_name_everywhere() {
        for flaw in Flaw::ALL {
            let on_the_command_line = flaw.to_possible_value().unwrap();
            assert_eq!(on_the_command_line.get_name(), flaw.name());
            assert_eq!(serde_json::to_value(flaw).unwrap(), flaw.name());
        }
    }
}
