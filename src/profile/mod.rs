//! From flags, environment and profile to a checked plan, of a run and of a server. It starts
//! nothing, and knows neither the tested API nor the engines.

mod arguments;
mod check;
mod engines;
mod env;
mod fault;
mod file;
mod flags;
mod levels;
mod listen;
mod model;
mod open_files;
mod plan;
mod serve_plan;
mod text;
mod workload;

pub use check::FlagError;
pub use engines::BrokerPlan;
pub use env::{ENV_PREFIX, env_name};
pub use fault::{
    Action, Breaks, Fault, Nemesis, Part, ProcessAction, Toxic, ToxicKind, Trigger, Units, Way,
};
pub use file::{DESCRIPTION, Profile, ProfileError};
pub use flags::{BenchFlags, ServeFlags};
pub use levels::{Levels, Period, Segment};
pub use model::{MAX_THREADS_DEFAULT, Model};
pub use open_files::{OTHER_FILES, check_open_files};
pub use plan::{Plan, Retry};
pub use serve_plan::{DATA_DEFAULT, PREFETCH_MAX, ServePlan};
pub use text::read_text;
pub use workload::{Arrival, Level, Stage, Think};
