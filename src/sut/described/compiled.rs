//! The steps and the outcomes of a description, compiled.

use std::sync::Arc;

use super::accounts::Accounts;
use super::answer::Extract;
use super::client::{self, Shared, Unmatched};
use super::names::{Fixed, Names, check_new};
use super::outcome::{OUTCOMES_MAX, Of, Rule};
use super::request::{Request, To};
use super::tables::{self, Tables};
use super::text::Text;
use super::wrong::Wrong;

/// Maximum number of steps.
const STEPS_MAX: usize = 50;

/// Compiles the tables. Returns what all virtual users share, their requests, and how many values
/// the steps extract.
///
/// # Errors
/// The first thing that is wrong.
pub(super) fn compile(
    tables: &Tables,
    (host, keepalive): (&str, bool),
    fixed: &Fixed<'_>,
    accounts: Option<&Arc<Accounts>>,
    unmatched: &Arc<Unmatched>,
) -> Result<(Shared, Vec<Request>, usize), Wrong> {
    check_keys(tables)?;
    let columns = accounts.map(|accounts| accounts.columns());
    let to = To { host, keepalive, headers: &tables.shop.headers };
    let (requests, steps, extracted) = (Vec::new(), Vec::new(), Vec::new());
    let purchase = tables.setup.len() + tables.before.len();
    let mut compiled = Compiled { to, purchase, requests, steps, extracted };
    for step in tables.setup.iter().chain(&tables.before) {
        compiled.add(step, fixed, columns)?;
    }
    let after_purchase = compiled.extracted.len();
    compiled.add(&tables.purchase, fixed, columns)?;
    // The result is asked for before the steps after the purchase, so that it has none of theirs.
    let names = Names { fixed, columns, extracted: &compiled.extracted };
    let result = tables.result.as_ref();
    let result = result.map(|result| {
        let request = Request::new(result, &to, &names, false)?;
        Ok((request, rules(&result.outcome, Of::Result, result)?))
    });
    let (result, results) = result.transpose()?.unzip();
    tables.after.iter().try_for_each(|step| compiled.add(step, fixed, columns))?;
    let Compiled { mut requests, steps, extracted, .. } = compiled;
    requests.extend(result);
    let shared = Shared {
        before: tables.setup.len(),
        purchase,
        after_purchase,
        steps,
        outcomes: rules(&tables.outcome, Of::Purchase, &tables.purchase)?,
        results: results.unwrap_or_default(),
        accounts: accounts.cloned(),
        unmatched: Arc::clone(unmatched),
    };
    Ok((shared, requests, extracted.len()))
}

/// The steps so far.
struct Compiled<'a> {
    to: To<'a>,
    /// The number of the purchase.
    purchase: usize,
    requests: Vec<Request>,
    steps: Vec<client::Step>,
    /// The names of what is extracted.
    extracted: Vec<String>,
}

impl Compiled<'_> {
    fn add(
        &mut self,
        step: &tables::Step,
        fixed: &Fixed<'_>,
        columns: Option<&[String]>,
    ) -> Result<(), Wrong> {
        let at = step.request.span().start;
        if self.steps.len() >= STEPS_MAX {
            return Err(Wrong::at(at, format!("more than {STEPS_MAX} steps")));
        }
        let names = Names { fixed, columns, extracted: &self.extracted };
        let is_before_purchase = self.steps.len() < self.purchase;
        self.requests.push(Request::new(step, &self.to, &names, is_before_purchase)?);
        let mut extracts = Vec::new();
        for (name, from) in &step.extract {
            let wrong = |problem| Wrong { at: from.span().start, problem };
            check_new(name, fixed).map_err(wrong)?;
            let slot = self.extracted.iter().position(|known| known == name);
            let slot = slot.unwrap_or_else(|| {
                self.extracted.push(name.clone());
                self.extracted.len() - 1
            });
            let extract = Extract::parse(from.get_ref()).map_err(wrong)?;
            extracts.push((name.clone(), slot, extract));
        }
        let name = step.name.clone().unwrap_or_else(|| label(step.request.get_ref(), fixed));
        let statuses = step.status.as_ref().map_or_else(Vec::new, tables::Statuses::to_vec);
        if step.status.is_some() && statuses.is_empty() {
            return Err(Wrong::at(at, "`status` names no status: leave it out for 200 to 399"));
        }
        self.steps.push(client::Step { name, statuses, extracts });
        Ok(())
    }
}

/// Checks that keys stand only where they mean something.
fn check_keys(tables: &Tables) -> Result<(), Wrong> {
    let Tables { setup, before, purchase, after, result, .. } = tables;
    let wrong = |step: &tables::Step, problem| Err(Wrong::at(step.request.span().start, problem));
    for step in setup.iter().chain(before).chain(after).chain(result) {
        if step.idempotent.is_some() {
            return wrong(step, "`idempotent` is a key of [purchase]");
        }
    }
    for step in setup.iter().chain(before).chain(after) {
        if !step.outcome.is_empty() {
            return wrong(step, "a step has no outcomes: `status` says what a success is");
        }
    }
    if !purchase.outcome.is_empty() {
        return wrong(purchase, "the outcomes of the purchase are in [[outcome]]");
    }
    for step in [Some(purchase), result.as_ref()].into_iter().flatten() {
        if step.status.is_some() {
            return wrong(step, "outcomes say what its answers mean: leave `status` out");
        }
    }
    Ok(())
}

/// The label of a request: without its query, as JMeter users name samplers.
fn label(request: &str, fixed: &Fixed<'_>) -> String {
    let request = request.split('?').next().unwrap_or_default();
    // A variable of the environment may be a secret.
    let shown = |name: &str| match name {
        "item" => fixed(name).and_then(Result::ok),
        name => Some(format!("{{{{{name}}}}}")),
    };
    let label = Text::parse(request).ok().and_then(|text| text.expand(shown).ok());
    label.unwrap_or_else(|| request.to_owned())
}

fn rules(tables: &[tables::Outcome], of: Of, step: &tables::Step) -> Result<Vec<Rule>, Wrong> {
    let at = step.request.span().start;
    let table = if of == Of::Purchase { "[[outcome]]" } else { "[[result.outcome]]" };
    match tables.len() {
        0 => Err(Wrong::at(at, format!("what its answers mean is missing: add {table}"))),
        1..=OUTCOMES_MAX => {
            let rules = tables.iter().map(|table| Rule::compile(table, of));
            let rules = rules.collect::<Result<Vec<_>, _>>()?;
            Rule::check_reachable(&rules, of, tables)?;
            Ok(rules)
        }
        count => Err(Wrong::at(at, format!("{count} outcomes are over {OUTCOMES_MAX}"))),
    }
}
