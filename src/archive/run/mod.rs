//! [`Run`]: the result of a run, as `--json` prints it and `run.json` stores it. Numbers are plain,
//! units are in the names. Keys may be added, never renamed. docs/reference.md describes them.

mod build;
mod figures;
mod plan_record;
mod rows;
mod steps;
mod tally;
mod thresholds;

pub use build::{Parts, SCHEMA};
pub use figures::{
    AuditRecord, BrokerRecord, CpuPercent, CpuRow, Follow, Generator, Machine, ProcessRecord,
    Requests, Retries, Run, SeriesRow, SettleFrom, Stampede,
};
pub use plan_record::PlanRecord;
pub use steps::StepRecord;
pub use tally::Tally;
