//! From flags, environment and profile to a checked plan, of a run and of a server. It starts
//! nothing, and knows neither the tested API nor the engines.

mod admission_plan;
mod arguments;
mod check;
mod connection_checks;
mod engines;
mod env;
mod fault;
mod file;
mod flags;
mod hold;
mod levels;
mod listen;
mod model;
mod network;
mod open_files;
mod pay;
mod pay_after;
mod plan;
mod serve_plan;
mod text;
mod waiting_room_plan;
mod workload;

pub use admission_plan::AdmissionPlan;
pub use check::FlagError;
pub use engines::BrokerPlan;
pub use env::{ENV_PREFIX, env_name};
pub use fault::{
    Action, Breaks, Fault, Nemesis, Part, ProcessAction, Toxic, ToxicKind, Trigger, Units, Way,
};
pub use file::{DESCRIPTION, Profile, ProfileError};
pub use flags::{BenchFlags, ServeFlags};
pub use hold::HoldTime;
pub use levels::{Levels, Period, Segment};
pub use model::{MAX_THREADS_DEFAULT, Model};
pub use network::{Network, NetworkError};
pub use open_files::{OTHER_FILES, check_open_files};
pub use pay::Pay;
pub use pay_after::PayAfter;
pub use plan::{Plan, Retry};
pub use serve_plan::{CONSUMERS_MAX, DATA_DEFAULT, PREFETCH_MAX, ServePlan};
pub use text::read_text;
pub use waiting_room_plan::WaitingRoomPlan;
pub use workload::{Arrival, Level, Stage, Think};
