//! What buyers see of the faults of a run.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::profile::Fault;
use crate::stats::{FaultRecord, Sample, Sink};

use super::carry_out::{Course, Happened, Happenings, Parts, carry_out};
use super::figures::{STEP, Service};

/// The faults of a run, before and while it goes on.
#[derive(Debug)]
pub struct Faults {
    planned: Vec<Fault>,
    happened: Happenings,
}

/// Keeps what buyers see of the faults as a [`Sink`].
#[derive(Debug)]
pub struct FaultWatch {
    happened: Happenings,
    records: Vec<FaultRecord>,
    service: Service,
}

impl Faults {
    /// These faults, in any order.
    pub fn new(mut planned: Vec<Fault>) -> Self {
        planned.sort_by_key(|fault| fault.at.earliest());
        let happened = Arc::new(Mutex::new(vec![Happened::default(); planned.len()]));
        Self { planned, happened }
    }

    /// The sink for the samples of the run.
    pub fn watch(&self) -> FaultWatch {
        let record = |fault: &Fault| FaultRecord { fault: fault.to_string(), ..Default::default() };
        FaultWatch {
            happened: Arc::clone(&self.happened),
            records: self.planned.iter().map(record).collect(),
            service: Service::default(),
        }
    }

    /// Carries out the faults, each at its time, until the load has ended and all faults are over.
    pub async fn carry_out(&self, parts: &Parts, course: &Course) {
        carry_out(&self.planned, parts, &self.happened, course).await;
    }
}

impl FaultWatch {
    /// Whether there is a fault, so that samples are needed.
    pub fn is_needed(&self) -> bool {
        !self.records.is_empty()
    }

    /// What happened, in the order of the beginnings.
    pub fn finish(mut self) -> Vec<FaultRecord> {
        let happened = std::mem::take(&mut *lock(&self.happened));
        let first = happened.iter().filter_map(|one| one.began).min().unwrap_or_default();
        for (record, one) in self.records.iter_mut().zip(&happened) {
            let us = |time: Duration| time.as_micros() as u64;
            (record.began_us, record.ended_us) = (one.began.map(us), one.ended.map(us));
            record.problem.clone_from(&one.problem);
            let Some(ended) = one.ended else { continue };
            let later = happened.iter().filter_map(|other| other.began);
            let next = later.filter(|began| *began >= ended).min();
            let others = happened.iter().any(|other| {
                other.began.is_some_and(|began| began < ended)
                    && other.ended.is_none_or(|other| other > ended + STEP)
            });
            let normal = self.service.normal_after(first, ended, next).filter(|_| !others);
            record.normal_after_us = normal.map(us);
        }
        // One that waits for the stock may begin at any time.
        self.records.sort_by_key(|record| record.began_us.unwrap_or(u64::MAX));
        self.records
    }
}

impl Sink for FaultWatch {
    fn samples(&mut self, samples: &[Sample]) {
        let happened = lock(&self.happened).clone();
        for sample in samples {
            self.service.add(sample);
            for (record, one) in self.records.iter_mut().zip(&happened) {
                if is_under_way(sample, one) {
                    add(record, sample);
                }
            }
        }
    }
}

fn lock(happened: &Happenings) -> std::sync::MutexGuard<'_, Vec<Happened>> {
    happened.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a request was under way while a fault lasted.
fn is_under_way(sample: &Sample, fault: &Happened) -> bool {
    fault.began.is_some_and(|began| sample.ended >= began)
        && fault.ended.is_none_or(|ended| sample.began < ended)
}

fn add(record: &mut FaultRecord, sample: &Sample) {
    record.requests += 1;
    record.latency_max_us = record.latency_max_us.max(sample.latency().as_micros() as u64);
    let (counts, word) = match sample.result {
        Ok(outcome) => (&mut record.by_outcome, outcome.as_str().to_owned()),
        Err(kind) => {
            record.errors += 1;
            (&mut record.by_error, kind.to_string())
        }
    };
    *counts.entry(word).or_default() += 1;
}
