//! Designs of the server: the hardened one, and the flaws that real systems had.
//!
//! A flaw is chosen once, at the start; each lives in a file of its own beside what is right.

use serde::{Deserialize, Serialize};

/// How the server is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Design {
    /// Nothing is promised that is not kept
    #[default]
    Hardened,
    /// The article's system, with all of its flaws
    Article,
}

macro_rules! flaws {
    ($($(#[$doc:meta])* $flaw:ident {
        name: $name:literal, does: $does:literal, breaks: $breaks:literal
    })*) => {
        /// One mistake of a real system.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[derive(Deserialize, Serialize, clap::ValueEnum)]
        #[serde(rename_all = "kebab-case")]
        pub enum Flaw { $($(#[$doc])* $flaw),* }

        impl Flaw {
            /// Every one.
            pub const ALL: &[Self] = &[$(Self::$flaw),*];

            /// What it is called on the command line.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$flaw => $name),* }
            }

            /// What it does.
            pub const fn does(self) -> &'static str {
                match self { $(Self::$flaw => $does),* }
            }

            /// What comes of it, and by what it is seen.
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
        breaks: "the broker runs out of files and takes no more: every attempt waits for \
                 --broker-connect-timeout and fails with http_500"
    }
    /// Publishes without a confirm.
    UnconfirmedPublish {
        name: "unconfirmed-publish",
        does: "answers 202 when the message is written to a socket, confirmed by nobody",
        breaks: "what the broker rejects or loses was accepted all the same (accepted_decided)"
    }
    /// Keeps the queue in the broker's memory.
    TransientQueue {
        name: "transient-queue",
        does: "declares a queue that is not durable, for messages that are not persistent",
        breaks: "a restart of the broker loses what was accepted (accepted_decided)"
    }
    /// Acknowledges what it could not decide.
    AckOnError {
        name: "ack-on-error",
        does: "the consumer acknowledges an attempt even when the store failed",
        breaks: "a short failure of the store loses accepted attempts (accepted_decided)"
    }
    /// Decides an attempt as often as it comes.
    NoDedupe {
        name: "no-dedupe",
        does: "an attempt that is delivered again is decided again",
        breaks: "one attempt gets two orders (request_ids_unique, buyer_limit)"
    }
    /// Answers everybody with the state of the sale.
    GlobalResult {
        name: "global-result",
        does: "GET /result/{request_id} tells whether the stock is gone, not what became of the \
               attempt",
        breaks: "a winner is told `lost` (results_true)"
    }
}

/// Where the flaws that are known come from.
const ARTICLE: &str = "a Node, RabbitMQ and Redis flash sale that an article described: 350 \
                       JMeter threads, 79 % errors";

impl Flaw {
    /// The system that had it.
    pub const fn source(self) -> &'static str {
        ARTICLE
    }
}

/// The flaws that a server is to have; none in the hardened design.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flaws(Vec<Flaw>);

impl Flaws {
    /// Those of a design, and `more`.
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

    /// Whether this is one of them.
    pub fn has(&self, flaw: Flaw) -> bool {
        self.0.contains(&flaw)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = Flaw> {
        self.0.iter().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::ValueEnum;

    #[test]
    fn a_flaw_has_one_name() {
        for flaw in Flaw::ALL {
            let on_the_command_line = flaw.to_possible_value().unwrap();
            assert_eq!(on_the_command_line.get_name(), flaw.name());
            assert_eq!(serde_json::to_value(flaw).unwrap(), flaw.name());
        }
    }
}
