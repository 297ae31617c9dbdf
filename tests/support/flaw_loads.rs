//! The flaws, each with a load that brings it out and what the audit finds then. `benches/flaws.rs`
//! makes the table in docs/auditing.md of it.

use seckill::flaws::Flaw;
use seckill::judge::Invariant;

/// What happens to services or processes during the load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    /// The broker has few files, and so few connections.
    FewFiles,
    /// See [`super::flaw_faults`] for these.
    StoreKilled,
    BrokerKilled,
    BrokerSuspended,
    ConsumerDies,
}

impl Fault {
    /// The fault in words.
    pub(crate) const fn describe(self) -> &'static str {
        match self {
            Self::None => "",
            Self::FewFiles => "RabbitMQ may open 256 files, as with `lab --broker-files 256`",
            Self::StoreKilled => "Redis is killed while attempts are queued, and started again",
            Self::BrokerKilled => "RabbitMQ is killed while attempts are queued, and started again",
            Self::BrokerSuspended => "RabbitMQ is suspended while attempts are published",
            Self::ConsumerDies => "a consumer dies after it has decided and before it acknowledges",
        }
    }
}

/// What shows the flaw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finding {
    /// The audit fails, and names this invariant.
    Broken(Invariant),
    /// Nothing false was sold or said, but too many attempts fail: the broker's connections are at
    /// their limit.
    BrokerFull,
}

/// A flaw under a load that brings it out.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FlawLoad {
    pub(crate) flaw: Flaw,
    /// Whether this load shows it on the embedded queue and store, too. Some flaws have another
    /// load there: see [`EMBEDDED_LOADS`].
    pub(crate) embedded: bool,
    /// Flags of `seckill bench`.
    pub(crate) load: &'static [&'static str],
    pub(crate) stock: u64,
    pub(crate) per_buyer: u32,
    /// More flags of `seckill serve`.
    pub(crate) server: &'static [&'static str],
    pub(crate) fault: Fault,
    pub(crate) finding: Finding,
    /// What else may be broken as a consequence of the same mistake.
    pub(crate) companions: &'static [Invariant],
}

/// More buyers than units, all at one instant: many attempts are queued before the last unit is
/// sold.
const STAMPEDE: &[&str] = &["--threads", "100", "--stampede"];

/// Each of five buyers has many attempts queued before the first of them is decided.
const FEW_BUYERS: &[&str] = &["--threads", "100", "--stampede", "--buyers", "5"];

/// As many attempts as [`super::flaw_faults`] waits for. What is lost is queued for ever: five
/// seconds without a decision show that.
const THIRTY: &[&str] = &["--threads", "30", "--settle-timeout", "8s"];

/// A load that brings out a flaw on a server in its usual form.
const USUAL: FlawLoad = FlawLoad {
    flaw: Flaw::GlobalResult,
    embedded: true,
    load: STAMPEDE,
    stock: 10,
    per_buyer: 1,
    server: &[],
    fault: Fault::None,
    finding: Finding::Broken(Invariant::ResultsTrue),
    companions: &[],
};

/// A load after which accepted attempts are lost.
const LOSS: FlawLoad = FlawLoad {
    embedded: false,
    load: THIRTY,
    stock: 1_000,
    finding: Finding::Broken(Invariant::AcceptedDecided),
    ..USUAL
};

/// A load in which many consumers look for the last unit at the same time: enough units that all of
/// them have subscribed by then.
const RACE: FlawLoad = FlawLoad {
    embedded: false,
    load: &["--threads", "300", "--stampede"],
    stock: 200,
    server: &["--consumers", "32", "--prefetch", "1"],
    finding: Finding::Broken(Invariant::NeverOversold),
    // A message that is published twice, as a late one may be, can be decided twice: to find the
    // first decision and to make the second one are two steps as well.
    companions: &[Invariant::StockNeverNegative, Invariant::RequestIdsUnique],
    ..USUAL
};

/// A load in which every order expires before its buyer pays, while others go on to buy.
const LATE: FlawLoad = FlawLoad {
    load: &[
        "--threads",
        "20",
        "--loops",
        "6",
        "--think",
        "250ms",
        "--pay",
        "100%",
        "--pay-after",
        "700ms..900ms",
    ],
    server: &["--hold", "300ms"],
    stock: 5,
    ..USUAL
};

/// All flaws.
pub(crate) const FLAW_LOADS: &[FlawLoad] = &[
    FlawLoad { flaw: Flaw::CheckThenAct, ..RACE },
    FlawLoad {
        flaw: Flaw::ConnectionPerRequest,
        embedded: false,
        load: &["--threads", "100", "--loops", "3"],
        stock: 1_000,
        server: &["--broker-connect-timeout", "4s"],
        fault: Fault::FewFiles,
        finding: Finding::BrokerFull,
        ..USUAL
    },
    FlawLoad {
        flaw: Flaw::UnconfirmedPublish,
        load: &["--threads", "200", "--stampede", "--settle-timeout", "8s"],
        server: &["--max-queue", "1", "--prefetch", "1"],
        ..LOSS
    },
    FlawLoad {
        flaw: Flaw::TransientQueue,
        // The broker takes several seconds to start. Then nothing moves for fifteen.
        load: &["--threads", "30", "--settle-timeout", "45s"],
        fault: Fault::BrokerKilled,
        ..LOSS
    },
    FlawLoad { flaw: Flaw::AckOnError, fault: Fault::StoreKilled, ..LOSS },
    FlawLoad {
        flaw: Flaw::NoDedupe,
        load: &["--threads", "30"],
        // With a limit of one, the second order would be refused.
        per_buyer: 2,
        fault: Fault::ConsumerDies,
        finding: Finding::Broken(Invariant::RequestIdsUnique),
        companions: &[Invariant::OrderIdsUnique, Invariant::StockReadsBounded],
        ..LOSS
    },
    // With several items, a result of an attempt that is not known has no item to be of.
    FlawLoad { flaw: Flaw::GlobalResult, companions: &[Invariant::RefusalsTrue], ..USUAL },
    FlawLoad {
        flaw: Flaw::OffByOne,
        finding: Finding::Broken(Invariant::NeverOversold),
        companions: &[Invariant::StockNeverNegative],
        ..USUAL
    },
    FlawLoad {
        flaw: Flaw::RefundTwice,
        finding: Finding::Broken(Invariant::NeverOversold),
        companions: &[
            Invariant::StockConserved,
            Invariant::SoldOutTrue,
            Invariant::StockReadsBounded,
            Invariant::NoUnsoldStock,
        ],
        ..USUAL
    },
    FlawLoad {
        flaw: Flaw::DecrementWithoutRefund,
        load: FEW_BUYERS,
        stock: 100,
        finding: Finding::Broken(Invariant::StockConserved),
        companions: &[Invariant::SoldOutTrue, Invariant::NoUnsoldStock],
        ..USUAL
    },
    FlawLoad {
        flaw: Flaw::StickySoldOut,
        // Five buyers cannot buy all of ten units, so the sale is never sold out. Attempts must
        // still come when the first ones are decided, or none is refused.
        load: &["--threads", "20", "--loops", "50", "--buyers", "5"],
        finding: Finding::Broken(Invariant::SoldOutTrue),
        ..USUAL
    },
    FlawLoad {
        flaw: Flaw::ResendUnderNewId,
        load: &["--threads", "30"],
        // With a limit of one, the second order would be refused.
        per_buyer: 2,
        fault: Fault::BrokerSuspended,
        finding: Finding::Broken(Invariant::OrdersWereSent),
        companions: &[Invariant::RowsSane],
        ..LOSS
    },
    FlawLoad { flaw: Flaw::CacheRefillInFlight, ..RACE },
    FlawLoad { flaw: Flaw::LostResult, ..USUAL },
    FlawLoad {
        flaw: Flaw::DoubleRefund,
        finding: Finding::Broken(Invariant::StockConserved),
        companions: &[
            Invariant::NeverOversold,
            Invariant::SoldOutTrue,
            Invariant::ViewsAgree,
            Invariant::StockReadsBounded,
            Invariant::NoUnsoldStock,
        ],
        ..LATE
    },
    FlawLoad {
        flaw: Flaw::PayAfterExpiry,
        finding: Finding::Broken(Invariant::NeverOversold),
        companions: &[
            Invariant::StockConserved,
            Invariant::SoldOutTrue,
            Invariant::OrdersEndOnce,
            Invariant::DeadlinesHold,
            Invariant::ViewsAgree,
            Invariant::StockReadsBounded,
            Invariant::NoUnsoldStock,
        ],
        ..LATE
    },
    FlawLoad { flaw: Flaw::AckBeforeApply, fault: Fault::StoreKilled, ..LOSS },
];

/// Flaws that show on the embedded queue and store by another load than on services: these engines
/// bring the failure with them that the flaw does not cope with.
pub(crate) const EMBEDDED_LOADS: &[FlawLoad] = &[
    FlawLoad {
        flaw: Flaw::CheckThenAct,
        load: &["--threads", "300", "--stampede"],
        server: &["--consumers", "8"],
        finding: Finding::Broken(Invariant::NeverOversold),
        companions: &[Invariant::StockNeverNegative],
        ..USUAL
    },
    FlawLoad { flaw: Flaw::AckOnError, ..LOSS_EMBEDDED },
    FlawLoad {
        flaw: Flaw::NoDedupe,
        load: &["--threads", "30"],
        per_buyer: 2,
        finding: Finding::Broken(Invariant::RequestIdsUnique),
        // An attempt that is decided twice takes two units: few attempts can sell the sale out.
        companions: &[Invariant::IdsAnsweredOnce, Invariant::ResultsTrue, Invariant::SoldOutTrue],
        ..USUAL
    },
    FlawLoad { flaw: Flaw::AckBeforeApply, ..LOSS_EMBEDDED },
];

/// A load after which the embedded queue has lost accepted attempts.
const LOSS_EMBEDDED: FlawLoad = FlawLoad {
    load: &["--threads", "30"],
    stock: 1_000,
    finding: Finding::Broken(Invariant::AcceptedKept),
    ..USUAL
};

impl FlawLoad {
    /// The load of this flaw, on services.
    pub(crate) fn of(flaw: Flaw) -> &'static Self {
        FLAW_LOADS.iter().find(|load| load.flaw == flaw).unwrap()
    }

    /// The load of this flaw on the embedded engines, if it shows there.
    pub(crate) fn on_embedded(flaw: Flaw) -> Option<&'static Self> {
        let loads = FLAW_LOADS.iter().filter(|load| load.embedded).chain(EMBEDDED_LOADS);
        loads.into_iter().find(|load| load.flaw == flaw)
    }

    /// Flags of a server whose own sale is the one that is loaded.
    pub(crate) fn server_flags(&self) -> Vec<String> {
        let terms = [("--stock", self.stock, 10), ("--per-buyer", self.per_buyer.into(), 1)];
        let terms = terms.into_iter().filter(|(_, value, default)| value != default);
        let terms = terms.flat_map(|(flag, value, _)| [flag.to_owned(), value.to_string()]);
        terms.chain(self.server.iter().map(|&flag| flag.to_owned())).collect()
    }
}

impl Finding {
    pub(crate) fn invariant(self) -> Option<Invariant> {
        match self {
            Self::Broken(invariant) => Some(invariant),
            Self::BrokerFull => None,
        }
    }
}
