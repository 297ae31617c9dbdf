//! The system under test: everything that knows the tested API. It has the requests as compiled
//! templates, the interpretation of answers, the polling of results, the reading of the ledger, the
//! labels and the address.
//!
//! No code outside this folder knows a path, a reason or a JSON key of the tested API. This module
//! opens no connection for the load, and draws no conclusion.

mod builtin;
mod client;
mod control;
mod control_error;
mod described;
mod received;
mod system;
mod target;
mod template;
mod understood;

pub use builtin::{LedgerError, LedgerReader, local_token, write_ledger};
pub use client::Client;
pub use control::Control;
pub use control_error::ControlError;
pub use described::{Accounts, Description, DescriptionError, Secrets, Setting};
pub use received::{Phase, Received, Visit};
pub use system::{Sut, SutRecord, read_ledger};
pub use target::Target;
pub use template::Template;
pub use understood::{Meaning, ShownOrder, Understood, Unusable};
