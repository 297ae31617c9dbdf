//! Reads the thresholds of a run, and the figures of the recorded run that some refer to.

use crate::archive::Recording;
use crate::judge::{Expression, ExpressionError, Threshold};
use crate::profile::{BenchFlags, FlagError};
use crate::sut::Sut;

use super::config::Thresholds;
use super::error::BenchError;

impl Thresholds {
    /// Reads the thresholds among the flags of a run, and the baseline if one is named.
    ///
    /// # Errors
    /// When a flag is invalid, or the baseline cannot be read.
    pub fn new(flags: &BenchFlags, sut: &Sut) -> Result<Self, BenchError> {
        let fail_if = fail_if(flags, sut).map_err(BenchError::Flag)?;
        let abort_on = abort_on(flags, sut).map_err(BenchError::Flag)?;
        let baseline = flags.baseline.as_deref().map(Recording::open).transpose()?;
        let baseline = baseline.map(|recording| recording.run().figures());
        let resolve = |flag, expressions: Vec<Expression>| {
            let thresholds = expressions.into_iter();
            let thresholds = thresholds.map(|one| Threshold::new(one, baseline.as_ref()));
            let thresholds: Result<Vec<_>, _> = thresholds.collect();
            thresholds.map_err(|error| BenchError::Flag(of_flag(flag)(error)))
        };
        Ok(Self { fail_if: resolve(FAIL_IF, fail_if)?, abort_on: resolve(ABORT_ON, abort_on)? })
    }

    /// Checks the thresholds among these flags as far as that is possible without a baseline, which
    /// another set of flags may name.
    ///
    /// # Errors
    /// The first invalid flag.
    pub fn check(flags: &BenchFlags, sut: &Sut) -> Result<(), FlagError> {
        fail_if(flags, sut)?;
        abort_on(flags, sut).map(|_| ())
    }
}

const FAIL_IF: &str = "fail-if";
const ABORT_ON: &str = "abort-on";

fn fail_if(flags: &BenchFlags, sut: &Sut) -> Result<Vec<Expression>, FlagError> {
    let given = flags.fail_if.as_deref().unwrap_or_default();
    Expression::all(given, flags.max_errors, &sut.outcomes()).map_err(of_flag(FAIL_IF))
}

fn abort_on(flags: &BenchFlags, sut: &Sut) -> Result<Vec<Expression>, FlagError> {
    let outcomes = sut.outcomes();
    let live = |text: &String| {
        let expression = Expression::parse(text, &outcomes)?;
        expression.check_live().map(|()| expression)
    };
    let given = flags.abort_on.iter().flatten();
    given.map(live).collect::<Result<_, _>>().map_err(of_flag(ABORT_ON))
}

fn of_flag(flag: &'static str) -> impl Fn(ExpressionError) -> FlagError {
    move |error| FlagError::new(flag, error.to_string())
}
