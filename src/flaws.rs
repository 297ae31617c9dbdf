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

/// The engines with which a server can have a flaw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engines {
    /// Any queue and any store, the embedded ones included.
    Any,
    /// A queue in a broker, and any store.
    Broker,
    /// A queue in a broker, and a store in Redis.
    BrokerAndRedis,
}

impl Engines {
    /// The engines in words.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::Any => "embedded, RabbitMQ and Redis",
            Self::Broker => "RabbitMQ",
            Self::BrokerAndRedis => "RabbitMQ and Redis",
        }
    }
}

macro_rules! flaws {
    ($($(#[$doc:meta])* $flaw:ident {
        name: $name:literal, does: $does:literal, breaks: $breaks:literal, source: $source:expr,
        engines: $engines:ident
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

            /// The system that had it.
            pub const fn source(self) -> &'static str {
                match self { $(Self::$flaw => $source),* }
            }

            /// The engines that can have it.
            pub const fn engines(self) -> Engines {
                match self { $(Self::$flaw => Engines::$engines),* }
            }
        }
    };
}

flaws! {
    /// Reads the stock, then decides, then takes one.
    CheckThenAct {
        name: "check-then-act",
        does: "the consumer reads `count`, and takes a unit in a second step; needs several \
               consumers",
        breaks: "two consumers see the same last unit and both sell it (never_oversold)",
        source: ARTICLE,
        engines: Any
    }
    /// Opens a connection for each publish and never closes it.
    ConnectionPerRequest {
        name: "connection-per-request",
        does: "each attempt opens a connection to the broker, and leaves it open",
        breaks: "the broker runs out of files and accepts no more connections: every attempt \
                 waits for --broker-connect-timeout and fails with http_500",
        source: ARTICLE,
        engines: Broker
    }
    /// Publishes without a confirm.
    UnconfirmedPublish {
        name: "unconfirmed-publish",
        does: "answers 202 when the message is written to a socket, without a confirm",
        breaks: "attempts that the broker rejects or loses were accepted (accepted_decided)",
        source: ARTICLE,
        engines: Broker
    }
    /// Keeps the queue in the broker's memory.
    TransientQueue {
        name: "transient-queue",
        does: "declares a queue that is not durable, for messages that are not persistent",
        breaks: "a restart of the broker loses accepted attempts (accepted_decided)",
        source: ARTICLE,
        engines: Broker
    }
    /// Acknowledges batches that could not be decided.
    AckOnError {
        name: "ack-on-error",
        does: "the consumer acknowledges an attempt even when the store failed, as the embedded \
               one does then for one batch in four",
        breaks: "a short failure of the store loses accepted attempts (accepted_decided, or \
                 accepted_kept with the embedded queue)",
        source: ARTICLE,
        engines: Any
    }
    /// Decides an attempt as often as it is delivered.
    NoDedupe {
        name: "no-dedupe",
        does: "an attempt that is delivered again is decided again; the embedded queue loses one \
               acknowledgement in four then",
        breaks: "one attempt gets two orders (request_ids_unique)",
        source: ARTICLE,
        engines: Any
    }
    /// Answers every result request with the state of the sale.
    GlobalResult {
        name: "global-result",
        does: "GET /result/{request_id} answers with the state of the sale, not of the attempt",
        breaks: "a winner gets the answer `lost` (results_true)",
        source: ARTICLE,
        engines: Any
    }
    /// Sells one unit too many.
    OffByOne {
        name: "off-by-one",
        does: "the rule sells while the stock is at least the orders, instead of above them",
        breaks: "one unit is sold that does not exist (never_oversold)",
        source: OTHERS,
        engines: Any
    }
    /// Gives units back that were not taken.
    RefundTwice {
        name: "refund-twice",
        does: "every attempt that loses gives a unit back, although none was taken for it",
        breaks: "the stock grows, and more is sold than there was (never_oversold, \
                 stock_conserved)",
        source: OTHERS,
        engines: Any
    }
    /// Does not give units back that were taken.
    DecrementWithoutRefund {
        name: "decrement-without-refund",
        does: "the unit is taken before the buyer's limit is checked, and a buyer at the limit \
               does not give it back",
        breaks: "units vanish: less is sold than there was (stock_conserved, sold_out_true)",
        source: OTHERS,
        engines: Any
    }
    /// Remembers for ever that the sale is sold out.
    StickySoldOut {
        name: "sticky-sold-out",
        does: "the first attempt that is refused, for whatever reason, sets a flag in memory that \
               answers everybody `sold_out` from then on",
        breaks: "units are left that nobody can buy (sold_out_true)",
        source: OTHERS,
        engines: Any
    }
    /// Publishes an attempt again under a new id.
    ResendUnderNewId {
        name: "resend-under-new-id",
        does: "an attempt that the broker does not confirm within 100ms is published again under \
               a new id",
        breaks: "buyers get orders that they did not ask for (orders_were_sent)",
        source: OTHERS,
        engines: Broker
    }
    /// Refills a cached counter during decisions.
    CacheRefillInFlight {
        name: "cache-refill-in-flight",
        does: "units are taken from a cached counter, which is refilled from the store while \
               other consumers have taken units and not yet recorded their orders",
        breaks: "the refill forgets the units in flight, and they are sold again (never_oversold)",
        source: OTHERS,
        engines: BrokerAndRedis
    }
    /// Never writes the result of an attempt that lost.
    LostResult {
        name: "lost-result",
        does: "GET /result/{request_id} answers `queued` for ever to those who lost",
        breaks: "a buyer polls for ever (results_true)",
        source: OTHERS,
        engines: Any
    }
    /// Gives the unit of an expired order back again.
    DoubleRefund {
        name: "double-refund",
        does: "a payment or a cancellation that comes after an order has expired gives its unit \
               back once more",
        breaks: "the stock grows, and more is sold than there was (stock_conserved, \
                 never_oversold)",
        source: OTHERS,
        engines: Any
    }
    /// Honours payments for expired orders.
    PayAfterExpiry {
        name: "pay-after-expiry",
        does: "a payment for an order that has expired is honoured, although its unit has come \
               back",
        breaks: "the unit is sold twice (never_oversold, deadlines_hold)",
        source: OTHERS,
        engines: Any
    }
    /// Acknowledges a batch before it is decided.
    AckBeforeApply {
        name: "ack-before-apply",
        does: "the consumer acknowledges an attempt before the store has its decision; the \
               embedded store fails for one batch in four then",
        breaks: "a crash or a failure of the store loses accepted attempts (accepted_decided, or \
                 accepted_kept with the embedded queue)",
        source: OTHERS,
        engines: Any
    }
}

/// Where the flaws of the article's design come from.
const ARTICLE: &str = "a Node, RabbitMQ and Redis flash sale that an article described: 350 \
                       JMeter threads, 79 % errors";

/// Where the other flaws come from.
const OTHERS: &str = "other public flash-sale projects";

impl Flaw {
    /// The flaws of the article's design.
    pub const ARTICLE: &[Self] = &[
        Self::CheckThenAct,
        Self::ConnectionPerRequest,
        Self::UnconfirmedPublish,
        Self::TransientQueue,
        Self::AckOnError,
        Self::NoDedupe,
        Self::GlobalResult,
    ];

    /// Flaws that replace the same step, of which a server can have only one.
    pub const SAME_STEP: &[&[Self]] = &[
        &[
            Self::CheckThenAct,
            Self::OffByOne,
            Self::RefundTwice,
            Self::DecrementWithoutRefund,
            Self::CacheRefillInFlight,
        ],
        &[
            Self::NoDedupe,
            Self::OffByOne,
            Self::RefundTwice,
            Self::DecrementWithoutRefund,
            Self::CacheRefillInFlight,
        ],
        &[Self::UnconfirmedPublish, Self::ResendUnderNewId],
        &[Self::ConnectionPerRequest, Self::ResendUnderNewId],
        &[Self::GlobalResult, Self::LostResult],
        &[Self::DoubleRefund, Self::PayAfterExpiry],
        &[Self::AckOnError, Self::AckBeforeApply],
    ];
}

/// A set of flaws; empty for the hardened design.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flaws(Vec<Flaw>);

impl Flaws {
    /// The flaws of a design, and `more`.
    pub fn of(design: Design, more: &[Flaw]) -> Self {
        let of_design = match design {
            Design::Hardened => &[],
            Design::Article => Flaw::ARTICLE,
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

    #[test]
    fn design_of_the_article_has_the_flaws_of_the_article() {
        let of_article = Flaw::ALL.iter().filter(|flaw| flaw.source() == ARTICLE);
        let design: Vec<_> = Flaws::of(Design::Article, &[]).iter().collect();
        assert_eq!(design, of_article.copied().collect::<Vec<_>>());
        assert_eq!(design.len(), 7);
    }
}
