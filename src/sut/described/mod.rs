//! A shop of somebody else's, as a profile describes it: its requests, what its answers mean, and
//! where its orders and its stock are.

mod accounts;
mod answer;
mod client;
mod compiled;
mod conditions;
mod control;
mod cookies;
mod description;
mod fields;
mod file;
mod labels;
mod matcher;
mod names;
mod outcome;
mod parts;
mod pointer;
mod request;
mod secrets;
mod tables;
mod text;
mod truth;
mod wrong;

pub use accounts::Accounts;
pub(super) use client::Client;
pub(super) use control::Control;
pub use description::{Description, Setting};
pub use file::DescriptionError;
pub use secrets::Secrets;
