//! Thresholds: conditions on the figures of a run that mean its failure, such as `p99>50ms`. Pure:
//! texts and figures in, results out.

mod error;
mod expression;
mod figures;
mod metric;
mod result;
#[cfg(test)]
mod tests;
mod unit;

pub use error::ExpressionError;
pub use expression::{Comparison, Expression};
pub use figures::{Figures, ProcessFigures};
pub use metric::{Metric, Process, Statistic, Times};
pub use result::{Threshold, ThresholdResult};
pub use unit::Unit;
