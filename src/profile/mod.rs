//! What is to be run: flags and profile (what was asked), plan (what was checked).

mod file;
mod flags;
mod plan;

pub use file::{Profile, ProfileError};
pub use flags::{BenchFlags, Buyers, ServeFlags};
pub use plan::{FlagError, Plan, Target};
