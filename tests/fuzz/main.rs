//! Every reader of bytes from outside, with inputs that are changed at random: none may panic, or
//! need much more memory than its input is long. `fuzz/` gives the same functions to libFuzzer, for
//! longer campaigns.
//!
//! `SECKILL_FUZZ_ITERATIONS` sets more inputs for each target, `SECKILL_FUZZ_SEED` repeats an
//! earlier run, and `SECKILL_FUZZ_CORPUS` names a folder to which the first inputs are written.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test reports it by failing")]
#![allow(clippy::print_stdout, reason = "a failed campaign is repeated with its seed")]

mod inputs;
mod mutate;
mod regressions;
#[path = "../support/seeded.rs"]
mod seeded;
mod targets;

use std::alloc::System;
use std::panic::{AssertUnwindSafe, catch_unwind};

use alloc_tracker::{Allocator, Session};

use mutate::Mutator;
use seeded::{Random, from_env};

#[global_allocator]
static ALLOCATOR: Allocator<System> = Allocator::system();

/// The seed of the runs in CI, so that a change fails there for what it changes.
const SEED: u64 = 1;

/// The most memory that a reader may need besides its input: buffers of a fixed size, the tail of a
/// journal, a page of a report.
const MEMORY: u64 = 24 << 20;

/// The most memory for each byte of the input: parsed JSON takes some tens of bytes for one.
const MEMORY_FOR_BYTE: u64 = 200;

/// A target with its first inputs, and how many it gets in CI.
struct Campaign {
    name: &'static str,
    run: fn(&[u8]),
    inputs: Vec<Vec<u8>>,
    iterations: u64,
}

impl Campaign {
    /// Runs the inputs as they are, then changed ones, as the environment says.
    #[track_caller]
    fn run(&self) {
        self.write_inputs();
        let seed = from_env("SECKILL_FUZZ_SEED").unwrap_or(SEED);
        let iterations = from_env("SECKILL_FUZZ_ITERATIONS").unwrap_or(self.iterations);
        println!("{}: SECKILL_FUZZ_SEED={seed} SECKILL_FUZZ_ITERATIONS={iterations}", self.name);
        self.run_with(seed, iterations);
    }

    #[track_caller]
    fn run_with(&self, seed: u64, iterations: u64) {
        assert!(!self.inputs.is_empty());
        // What a target needs once is not counted.
        self.inputs.iter().for_each(|input| (self.run)(input));
        let mut mutator = Mutator::new(Random(seed), &self.inputs);
        for iteration in 0..iterations {
            let input = mutator.next();
            if let Err(problem) = self.check(&input) {
                let shown = String::from_utf8_lossy(&input[..input.len().min(4_000)]);
                let hex: String =
                    input.iter().take(2_000).map(|byte| format!("{byte:02x}")).collect();
                panic!("{}, input {iteration}: {problem}\n{shown}\n{hex}", self.name);
            }
        }
    }

    fn check(&self, input: &[u8]) -> Result<(), String> {
        let mut outcome = Ok(());
        let peak = peak(|| {
            outcome = catch_unwind(AssertUnwindSafe(|| (self.run)(input)));
        });
        let most = MEMORY + MEMORY_FOR_BYTE * input.len() as u64;
        match outcome {
            Err(_) => Err("it panicked".into()),
            Ok(()) if peak > most => Err(format!("it needs {peak} bytes, and may need {most}")),
            Ok(()) => Ok(()),
        }
    }

    fn write_inputs(&self) {
        let Some(folder) = std::env::var_os("SECKILL_FUZZ_CORPUS") else { return };
        let folder = std::path::PathBuf::from(folder).join(self.name);
        std::fs::create_dir_all(&folder).unwrap();
        for (number, input) in self.inputs.iter().enumerate() {
            std::fs::write(folder.join(format!("first-{number}")), input).unwrap();
        }
    }
}

/// The most memory that was allocated by this thread at the same time, in bytes.
fn peak(work: impl FnOnce()) -> u64 {
    let session = Session::new().no_stdout().no_file();
    let operation = session.operation("input");
    let span = operation.measure_thread().iterations(1);
    work();
    drop(span);
    let report = session.to_report();
    let peaks = report.operations().filter_map(|(_, operation)| operation.peak_outstanding_bytes());
    peaks.fold(0.0, f64::max) as u64
}

/// A test that runs a target.
macro_rules! campaigns {
    ($($test:ident: $target:ident, $inputs:ident, $iterations:expr;)*) => { $(
        #[test]
        fn $test() {
            let (name, run) = (stringify!($target), targets::$target::run as fn(&[u8]));
            Campaign { name, run, inputs: inputs::$inputs(), iterations: $iterations }.run();
        }
    )* };
}

campaigns! {
    raw_bytes_on_a_connection_are_survived: connection, connections, 1_000;
    plain_requests_are_answered_as_by_hyper: plain, plains, 600;
    any_request_is_answered: route, routes, 2_000;
    any_file_is_a_journal_or_refused: journal, journals, 1_000;
    any_records_are_replayed_or_refused: record, records, 1_000;
    any_profile_is_read_or_refused: profile, profiles, 600;
    any_short_text_is_read_or_refused: expression, expressions, 4_000;
    any_ledger_is_read_or_refused: ledger, ledgers, 1_500;
    any_history_is_read_or_refused: history, histories, 1_000;
    any_recording_is_reported_or_refused: recording, recordings, 150;
    any_response_is_read_or_refused: response, responses, 4_000;
    any_answer_is_understood_or_refused: answer, answers, 2_000;
    any_truth_is_found_or_refused: truth, truths, 2_000;
}

#[test]
#[should_panic(expected = "it needs")]
fn reader_that_trusts_a_length_is_found() {
    let trusting = |bytes: &[u8]| {
        let len = bytes.first().map_or(0, |byte| usize::from(*byte) << 20);
        drop(std::hint::black_box(Vec::<u8>::with_capacity(len)));
    };
    let inputs = vec![vec![1, 2, 3]];
    Campaign { name: "trusting", run: trusting, inputs, iterations: 0 }.run_with(SEED, 1_000);
}

#[test]
#[should_panic(expected = "it panicked")]
fn reader_that_panics_is_found() {
    let panics = |bytes: &[u8]| assert!(bytes.len() < 40 || bytes[20] < 200);
    let inputs = vec![vec![0; 64]];
    Campaign { name: "panics", run: panics, inputs, iterations: 0 }.run_with(SEED, 1_000);
}
