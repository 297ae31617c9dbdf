//! The arguments of `seckill sut`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum SutCommand {
    /// Write a description with comments, as a profile to be completed
    Init(SutInitArgs),
    /// Make one attempt, and show each request, what was extracted, how the answer was understood,
    /// and what the orders and the stock are before and after it
    Check(SutCheckArgs),
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SutInitArgs {
    /// File to write, which must not exist
    #[arg(value_name = "FILE")]
    pub(in crate::cli) file: PathBuf,
    /// Name of the shop in reports
    #[arg(long, value_name = "NAME", default_value = "my shop")]
    pub(in crate::cli) name: String,
    /// URL of the shop
    #[arg(long, short = 't', value_name = "URL", default_value = "http://127.0.0.1:8080")]
    pub(in crate::cli) target: String,
    /// The request that buys one unit
    #[arg(long, value_name = "REQUEST", default_value = "POST /orders")]
    pub(in crate::cli) purchase: String,
    /// Whether its body is JSON or a form
    #[arg(long, value_enum, default_value_t)]
    pub(in crate::cli) body: Body,
    /// The request that logs a buyer in, with the accounts of --buyers-from
    #[arg(long, value_name = "REQUEST")]
    pub(in crate::cli) login: Option<String>,
    /// Status of an answer that says an order was made
    #[arg(long, value_name = "STATUS", default_value_t = 201)]
    pub(in crate::cli) won: u16,
    /// Status of an answer that says an attempt is queued, and decided later
    #[arg(long, value_name = "STATUS")]
    pub(in crate::cli) accepted: Option<u16>,
    /// Status of an answer that says nothing is left
    #[arg(long, value_name = "STATUS", default_value_t = 409)]
    pub(in crate::cli) sold_out: u16,
    /// The request for the decision of a queued attempt
    #[arg(long, value_name = "REQUEST", requires = "accepted")]
    pub(in crate::cli) result: Option<String>,
    /// Where the orders are
    #[arg(long, value_enum, default_value_t)]
    pub(in crate::cli) orders: Orders,
}

/// The kind of a body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Body {
    #[default]
    Json,
    Form,
}

/// Where the orders of a shop are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Orders {
    #[default]
    Sql,
    Redis,
    Http,
    Command,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct SutCheckArgs {
    /// Profile that describes the shop
    #[arg(value_name = "FILE")]
    pub(in crate::cli) file: PathBuf,
    /// URL of the shop [default: that of the profile]
    #[arg(long, short = 't', env = "SECKILL_TARGET", value_name = "URL")]
    pub(in crate::cli) target: Option<String>,
    /// Item to buy [default: that of the profile]
    #[arg(long, env = "SECKILL_ITEM", value_name = "NAME")]
    pub(in crate::cli) item: Option<String>,
    /// File of the buyers [default: that of the profile]
    #[arg(long, env = "SECKILL_BUYERS_FROM", value_name = "FILE")]
    pub(in crate::cli) buyers_from: Option<PathBuf>,
    /// Restore the stock before the attempt
    #[arg(long)]
    pub(in crate::cli) reset: bool,
}
