//! A run's folder, written while the run goes on and read again: the result (`run.json`), the
//! history, the ledger as it was received, histograms, and JMeter's table of samples (`--jtl`).
//!
//! A writer computes no figures, but receives them. docs/reference.md describes the files.

mod compare;
mod digest;
mod folder;
mod hdr;
mod jtl;
mod made;
mod outputs;
mod real_path;
mod recording;
mod report_kind;
mod reports;
mod run;

pub use compare::{Change, Compared, ComparedFigure, Measure, compare, plan_differences};
pub use digest::Digest;
pub use folder::{LedgerFile, OutputError};
pub use outputs::Outputs;
pub use recording::{ReadError, Recording};
pub use report_kind::ReportKind;
pub use reports::{
    ReportFile, foreign_report, holds_something, is_file_of_folder, is_same_file, is_same_folder,
    write_report,
};
pub use run::{
    AuditRecord, BrokerRecord, CpuPercent, CpuRow, Follow, Generator, Machine, Parts, PlanRecord,
    ProcessRecord, Requests, Retries, Run, SCHEMA, SeriesRow, SettleFrom, Stampede, StepRecord,
    Tally,
};
