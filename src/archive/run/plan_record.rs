//! The plan in a run's result.

use serde::{Deserialize, Serialize};

use crate::profile::Plan;
use crate::sut::SutRecord;

/// The plan, and the address of the tested system.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names describe the fields")]
pub struct PlanRecord {
    #[serde(flatten)]
    pub plan: Plan,
    pub target: String,
    /// The flags of the server that was started for the run, without secrets; `None` if none was.
    #[serde(default)]
    pub spawn: Option<Vec<String>>,
}

impl PlanRecord {
    /// The flags of `seckill bench` that make this run, without those of a server of its own.
    pub fn flags(&self, sut: &SutRecord) -> Vec<String> {
        let system = match &self.spawn {
            Some(_) => "--spawn".to_owned(),
            None => format!("--target={}", self.target),
        };
        let description = match sut {
            SutRecord::BuiltIn(_) => None,
            SutRecord::Described { file, .. } => Some(format!("--sut={file}")),
        };
        [system].into_iter().chain(description).chain(self.plan.arguments()).collect()
    }
}
