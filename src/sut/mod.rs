//! The system under test: everything that knows the tested API. It has the requests as compiled
//! templates, the interpretation of answers, the polling of results, the reading of the ledger, the
//! labels and the address.
//!
//! No code outside this folder knows a path, a reason or a JSON key of the tested API. This module
//! opens no connection for the load, and draws no conclusion.

mod builtin;
mod described;
mod system;
mod target;
mod template;
mod understood;

pub use builtin::{Control, ControlError, LedgerError, LedgerReader, local_token};
pub use system::Sut;
pub use target::Target;
pub use template::Template;
pub use understood::{Meaning, Understood, Unusable};
