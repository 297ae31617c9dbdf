//! Reads the thresholds of a run, and the figures of the recorded run that some refer to.

use crate::archive::Recording;
use crate::judge::{Expression, ExpressionError, Figures, Threshold};
use crate::profile::{BenchFlags, FlagError};
use crate::sut::Sut;

use super::error::BenchError;

/// Checks the thresholds among these flags as far as that is possible without a baseline, which
/// another set of flags may name.
///
/// # Errors
/// The first invalid flag.
pub fn check_thresholds(flags: &BenchFlags, sut: Sut) -> Result<(), FlagError> {
    expressions(flags, sut).map(|_| ())
}

/// Reads the thresholds among the flags of a run, and the baseline if one is named.
///
/// # Errors
/// When a flag is invalid, or the baseline cannot be read.
pub fn thresholds(flags: &BenchFlags, sut: Sut) -> Result<Vec<Threshold>, BenchError> {
    let expressions = expressions(flags, sut).map_err(BenchError::Flag)?;
    let baseline = baseline(flags, &expressions)?;
    let resolve = |expression| {
        let threshold = Threshold::new(expression, baseline.as_ref());
        threshold.map_err(|error| BenchError::Flag(of_flag("fail-if")(error)))
    };
    expressions.into_iter().map(resolve).collect()
}

fn expressions(flags: &BenchFlags, sut: Sut) -> Result<Vec<Expression>, FlagError> {
    let given = flags.fail_if.as_deref().unwrap_or_default();
    Expression::all(given, flags.max_errors, &sut.outcomes()).map_err(of_flag("fail-if"))
}

fn baseline(flags: &BenchFlags, expressions: &[Expression]) -> Result<Option<Figures>, BenchError> {
    let Some(folder) = &flags.baseline else { return Ok(None) };
    if !expressions.iter().any(Expression::is_relative) {
        let problem = "applies only to relative thresholds: add one, such as --fail-if 'p99>1.2x'";
        return Err(BenchError::Flag(FlagError::new("baseline", problem)));
    }
    Ok(Some(Recording::open(folder)?.run().figures()))
}

fn of_flag(flag: &'static str) -> impl Fn(ExpressionError) -> FlagError {
    move |error| FlagError::new(flag, error.to_string())
}
