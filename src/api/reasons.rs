//! The reasons of the API, each a closed set of words: why an attempt was refused, with the HTTP
//! status that goes with it, and why an accepted one lost.

macro_rules! words {
    (
        $(#[$doc:meta])*
        $name:ident { $($(#[$variant_doc:meta])* $variant:ident => $word:literal),* $(,)? }
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_doc])* $variant),* }

        impl $name {
            /// All of them, in the order of the table in the documentation.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// The one that a word names.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

words! {
    /// Why an accepted attempt lost.
    LostReason {
        /// No unit was left when its turn came.
        SoldOut => "sold_out",
        /// The buyer was at the limit when its turn came.
        AlreadyBought => "already_bought",
        /// A fresh sale of the same item was opened before its turn came.
        SaleReplaced => "sale_replaced",
        /// Deciding it failed in every consumer that tried.
        Undeliverable => "undeliverable",
    }
}

impl LostReason {
    /// The HTTP status of the answer for a lost attempt.
    pub const STATUS: u16 = 200;
}

words! {
    /// What has become of an order of a sale that holds its orders.
    OrderStatus {
        /// Its buyer may still pay for it.
        Held => "held",
        /// It is paid for, and stays the buyer's.
        Paid => "paid",
        /// Its buyer gave it back.
        Cancelled => "cancelled",
        /// Nobody paid for it in time.
        Expired => "expired",
    }
}

impl OrderStatus {
    /// The HTTP status of the refusal to pay for or cancel an order that has this status.
    pub const REFUSED: u16 = 409;

    /// Whether the order takes a unit of the stock.
    pub const fn takes_unit(self) -> bool {
        matches!(self, Self::Held | Self::Paid)
    }
}

words! {
    /// Why an attempt was refused: it has no effect, now or later.
    Refusal {
        /// The sale has not opened yet.
        NotOpen => "not_open",
        /// The sale is over.
        Closed => "closed",
        /// The buyer is at the limit.
        AlreadyBought => "already_bought",
        /// No unit is left.
        SoldOut => "sold_out",
        /// The request id was used before, for another buyer or item.
        RequestIdReused => "request_id_reused",
        /// The attempt exceeds the server's limit of attempts per second.
        RateLimited => "rate_limited",
        /// The attempt carries no admitted ticket of the waiting room.
        NotAdmitted => "not_admitted",
        /// The queue is full.
        QueueFull => "queue_full",
        /// The queue cannot be reached.
        BrokerUnavailable => "broker_unavailable",
        /// The store cannot be reached.
        StoreUnavailable => "store_unavailable",
        /// The server is shutting down.
        Draining => "draining",
    }
}

impl Refusal {
    /// The HTTP status that goes with the reason: with any other, the answer is not one of the API.
    pub const fn status(self) -> u16 {
        match self {
            Self::NotOpen | Self::Closed => 403,
            Self::AlreadyBought => 409,
            Self::SoldOut => 410,
            Self::RequestIdReused => 422,
            Self::RateLimited | Self::NotAdmitted => 429,
            Self::QueueFull | Self::BrokerUnavailable | Self::StoreUnavailable | Self::Draining => {
                503
            }
        }
    }
}
