//! What is to be run: flags and profile (what was asked), plan (what was checked).

mod check;
mod env;
mod file;
mod flags;
mod levels;
mod model;
mod plan;
mod workload;

pub use check::FlagError;
pub use env::{ENV_PREFIX, env_name};
pub use file::{Profile, ProfileError};
pub use flags::{BenchFlags, ServeFlags};
pub use levels::{Levels, Line, Period};
pub use model::{MAX_THREADS_DEFAULT, Model};
pub use plan::{Plan, Retry};
pub use workload::{Arrival, Level, Stage, Think};
