//! What is to be run: flags and profile (what was asked), plan (what was checked).

mod env;
mod file;
mod flags;
mod levels;
mod plan;
mod target;
mod workload;

pub use env::{ENV_PREFIX, env_name};
pub use file::{Profile, ProfileError};
pub use flags::{BenchFlags, ServeFlags};
pub use levels::{Levels, Line, Period};
pub use plan::{FlagError, MAX_THREADS_DEFAULT, Model, Plan, Retry};
pub use target::Target;
pub use workload::{Arrival, Level, Stage, Think};
