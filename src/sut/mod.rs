//! The system under test: all that knows the tested API. Requests as compiled templates, how an
//! answer is understood, how a result is asked for, how the truth is read, labels, address.
//!
//! Outside of this folder, no path, reason or JSON key of the tested API is known. It opens no
//! connection for the load and draws no conclusion.

mod seckill;
mod system;
mod target;
mod template;
mod understood;

pub use seckill::{Control, ControlError, LedgerError, LedgerReader, token_nearby};
pub use system::Sut;
pub use target::Target;
pub use template::Template;
pub use understood::{SaleState, Understood};
