//! Reads expressions such as `p99>50ms`: a metric, a comparison and a limit.

use crate::escape::printable;
use crate::similar::nearest;
use crate::units::Share;

use super::error::ExpressionError;
use super::metric::{Metric, Times};
use super::unit::{Unit, decimal};

/// Maximum length of an expression, in bytes.
const LEN_MAX: usize = 100;

/// How a figure is compared with a limit. The threshold is crossed if the comparison holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names describe the variants")]
pub enum Comparison {
    Above,
    AtLeast,
    Below,
    AtMost,
}

impl Comparison {
    /// Whether it holds for a figure and its limit.
    pub fn holds(self, figure: f64, limit: f64) -> bool {
        match self {
            Self::Above => figure > limit,
            Self::AtLeast => figure >= limit,
            Self::Below => figure < limit,
            Self::AtMost => figure <= limit,
        }
    }

    /// The comparison at the beginning of a text, and the length of its operator.
    fn begins(text: &str) -> Option<(Self, usize)> {
        let operators =
            [(">=", Self::AtLeast), ("<=", Self::AtMost), (">", Self::Above), ("<", Self::Below)];
        let found = operators.into_iter().find(|(operator, _)| text.starts_with(operator))?;
        Some((found.1, found.0.len()))
    }
}

/// A limit as it is written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Limit {
    /// A figure, in the unit of the expression.
    Figure(f64),
    /// A multiple of the same figure of a recorded run.
    Times(f64),
}

/// A condition that means a failure, as it was given.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    /// The text, without spaces around it.
    pub(super) text: String,
    pub(super) metric: Metric,
    pub(super) comparison: Comparison,
    pub(super) limit: Limit,
    pub(super) unit: Unit,
    /// Where the limit begins in the text.
    limit_at: usize,
}

impl Expression {
    /// Reads an expression. `outcomes` are the words of the outcomes that the tested system can
    /// have.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str, outcomes: &[&str]) -> Result<Self, ExpressionError> {
        let text = text.trim();
        if text.len() > LEN_MAX {
            let end = text.floor_char_boundary(LEN_MAX);
            let problem = format!("an expression of more than {LEN_MAX} bytes");
            return Err(ExpressionError::new(text, end..end, problem, "it has to end before here"));
        }
        let name_len = text.find(['<', '>', '=', '!']).unwrap_or(text.len());
        let name = text[..name_len].trim_end();
        let metric = Metric::from_name(name, outcomes)
            .ok_or_else(|| unknown_metric(text, name, outcomes))?;
        let operator = &text[name_len..];
        let Some((comparison, operator_len)) = Comparison::begins(operator) else {
            let end = text.len() - operator.trim_start_matches(['=', '!']).len();
            let (problem, form) = ("a metric without a comparison", metric.form());
            let expected =
                format!(">, >=, < or <= is expected here: {metric}>{}", form.example(""));
            return Err(ExpressionError::new(text, name_len..end, problem, expected));
        };
        let rest = &text[name_len + operator_len..];
        let limit = rest.trim_start();
        let limit_at = text.len() - limit.len();
        let (limit, unit) = read_limit(&metric, limit).ok_or_else(|| {
            let form = metric.form();
            let (noun, example) = match factor(limit) {
                Some(_) => ("a factor above 0", "1.2x".to_owned()),
                None => (form.noun(), form.example(limit)),
            };
            let example = format!("{name}{}{example}", &operator[..operator_len]);
            let problem = match limit {
                "" => "a comparison without a limit".to_owned(),
                wrong => format!("a limit that does not fit {metric}: {}", printable(wrong)),
            };
            let several = ["&&", "||", ",", ";", " and ", " or "];
            let expected = match several.iter().any(|joint| limit.contains(joint)) {
                true => {
                    format!("one limit is expected here; repeat the flag for others: {example}")
                }
                false => format!("{noun} is expected here: {example}"),
            };
            ExpressionError::new(text, limit_at..text.len(), problem, expected)
        })?;
        Ok(Self { text: text.to_owned(), metric, comparison, limit, unit, limit_at })
    }

    /// The expression that more than this share of the requests are errors.
    pub fn errors_over(share: Share) -> Self {
        let (metric, comparison) = (Metric::Errors, Comparison::Above);
        let (limit, unit) = (Limit::Figure(share.fraction()), Unit::Share);
        let name = format!("{metric}>");
        let limit_at = name.len();
        Self { text: format!("{name}{share}"), metric, comparison, limit, unit, limit_at }
    }

    /// The expressions by which a run fails: those that were given, and the limit of the errors.
    /// That is `max_errors` if it was given, and the default unless an expression is on the errors.
    ///
    /// # Errors
    /// When a text is no expression.
    pub fn all(
        texts: &[String],
        max_errors: Option<Share>,
        outcomes: &[&str],
    ) -> Result<Vec<Self>, ExpressionError> {
        let parse = |text: &String| Self::parse(text, outcomes);
        let mut all = texts.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        let has_own = all.iter().any(|expression| expression.metric == Metric::Errors);
        let default = (!has_own).then_some(MAX_ERRORS_DEFAULT);
        all.extend(max_errors.or(default).map(Self::errors_over));
        Ok(all)
    }

    /// Checks that its figure is known while requests are sent.
    ///
    /// # Errors
    /// When it is known only after the run.
    pub fn check_live(&self) -> Result<(), ExpressionError> {
        if self.metric.is_live() {
            return Ok(());
        }
        let name_len = self.text.find(['<', '>']).unwrap_or(self.text.len());
        let end = self.text[..name_len].trim_end().len();
        let problem = format!("{} is known only after the run", self.metric);
        let expected = "a latency, lag, errors, rate, outcome.… or error.… is expected here";
        Err(ExpressionError::new(&self.text, 0..end, problem, expected))
    }

    /// Whether its limit is a multiple of the figure of a recorded run.
    pub fn is_relative(&self) -> bool {
        matches!(self.limit, Limit::Times(_))
    }

    /// An error about the limit.
    pub(super) fn limit_error(&self, problem: String, expected: &str) -> ExpressionError {
        ExpressionError::new(&self.text, self.limit_at..self.text.len(), problem, expected)
    }
}

/// One of a hundred: a load test of which more fails has measured something else.
const MAX_ERRORS_DEFAULT: Share = Share::percent(1);

/// The factor of a limit that is a multiple, as it is written.
fn factor(limit: &str) -> Option<&str> {
    limit.strip_suffix(['x', 'X'])
}

fn read_limit(metric: &Metric, text: &str) -> Option<(Limit, Unit)> {
    let form = metric.form();
    if let Some(factor) = factor(text) {
        let factor = decimal(factor).filter(|factor| *factor > 0.0)?;
        return Some((Limit::Times(factor), form.unit()));
    }
    let (figure, unit) = form.read(text)?;
    Some((Limit::Figure(figure), unit))
}

/// The error of a name that no metric has: it shows the nearest one where not all are listed.
fn unknown_metric(text: &str, name: &str, outcomes: &[&str]) -> ExpressionError {
    let a_metric = "a metric is expected here, such as p99, accepted.p99, errors or oversold";
    if name.is_empty() {
        return ExpressionError::new(text, 0..0, "no metric", a_metric);
    }
    let percentile = name.strip_prefix('p').and_then(decimal);
    let (group, word_at) = match name.split_once('.') {
        Some((group, _)) => (group, group.len() + 1),
        _ => (name, name.len()),
    };
    let meant = || {
        let nearest = nearest(name, Metric::names(outcomes));
        nearest.map(|name| format!("; did you mean {name}?")).unwrap_or_default()
    };
    let statistics = "min, mean, stddev, p50, p90, p95, p99, p999 or max is expected here";
    let (wrong_at, expected) = match group {
        _ if percentile.is_some() => (0, statistics.to_owned()),
        "payment" if word_at < name.len() => (word_at, format!("errors, {statistics}")),
        group if Times::from_word(group).is_some() => match word_at == name.len() {
            true => (word_at, format!("a statistic is expected here, such as {group}.p99")),
            false => (word_at, statistics.to_owned()),
        },
        "server" | "generator" => {
            let words = "cpu_us_per_request or rss_bytes_max is expected here";
            (word_at, format!("{words}{}", meant()))
        }
        "outcome" => {
            let words = outcomes.join(", ");
            (word_at, format!("an outcome is expected here: {words}{}", meant()))
        }
        "error" => {
            let example = "a kind of errors is expected here, such as timeout or http_500";
            (word_at, format!("{example}{}", meant()))
        }
        _ => (0, format!("{a_metric}{}", meant())),
    };
    let problem = format!("{} is no metric", printable(name));
    ExpressionError::new(text, wrong_at..name.len(), problem, expected)
}
