//! [`Description`]: the tables of a profile that describe a shop, read and checked.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Deserialize;
use toml::de::DeTable;

use crate::escape::printable;
use crate::ids::ItemId;
use crate::profile::DESCRIPTION;
use crate::stats::Click;

use super::accounts::Accounts;
use super::answer::Extract;
use super::client::{self, Client, Shared, Unmatched};
use super::outcome::{OUTCOMES_MAX, Of, Rule};
use super::request::{Names, Request, To, request_line};
use super::tables::{self, Tables};
use super::text::Text;
use super::truth::{Reset, Truth};
use super::wrong::Wrong;

/// Largest description, in bytes.
const FILE_LEN_MAX: u64 = 1 << 20;

/// Maximum number of steps.
const STEPS_MAX: usize = 50;

/// Why a description cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DescriptionError {
    /// The file cannot be read.
    #[error("cannot read {}: {cause}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the operating system.
        cause: std::io::Error,
    },
    /// Something in it is wrong.
    #[error("{}:{line}: {problem}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The problem and its cure.
        problem: String,
    },
}

/// What the description of a shop is read with.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The item to buy, if a flag names one.
    pub item: Option<ItemId>,
    /// The seed of the run.
    pub seed: u64,
    /// The accounts of the buyers, if there is a file of them.
    pub accounts: Option<Accounts>,
}

/// A shop as its description says.
#[derive(Debug)]
pub struct Description {
    path: PathBuf,
    text: String,
    tables: Tables,
    item: Option<ItemId>,
    seed: u64,
    accounts: Option<Arc<Accounts>>,
    truth: Option<Truth>,
    resets: Vec<Reset>,
    labels: Labels,
    unmatched: Arc<Unmatched>,
}

impl Description {
    /// Whether a profile describes a shop.
    pub fn is_in(path: &Path) -> bool {
        let text = fs::read_to_string(path).unwrap_or_default();
        let document = DeTable::parse(&text);
        document.is_ok_and(|document| {
            document.get_ref().keys().any(|key| DESCRIPTION.contains(&&**key.get_ref()))
        })
    }

    /// Reads and checks the description in a profile. Other keys are flags of `bench`.
    ///
    /// # Errors
    /// When the file cannot be read, or something in it is wrong.
    pub fn read(path: &Path, setting: Setting) -> Result<Self, DescriptionError> {
        let io_error = |cause| DescriptionError::Io { path: path.to_owned(), cause };
        if fs::metadata(path).map_err(io_error)?.len() > FILE_LEN_MAX {
            let cause = std::io::Error::other("larger than a mebibyte: not a profile");
            return Err(io_error(cause));
        }
        let text = fs::read_to_string(path).map_err(io_error)?;
        let located = |Wrong { at, problem }| DescriptionError::Content {
            path: path.to_owned(),
            line: line_at(&text, at),
            problem,
        };
        let tables = parse(&text).map_err(located)?;
        let truth = tables.truth.as_ref().map(Truth::new).transpose().map_err(located)?;
        let resets = tables.reset.iter().map(Reset::new).collect::<Result<_, _>>();
        let resets = resets.map_err(located)?;
        let Setting { item, seed, accounts } = setting;
        let accounts = accounts.map(Arc::new);
        let mut description = Self {
            path: path.to_owned(),
            text: text.clone(),
            tables,
            item,
            seed,
            accounts,
            truth,
            resets,
            labels: Labels::default(),
            unmatched: Arc::default(),
        };
        let client = description.compile("127.0.0.1:80", "http://127.0.0.1", true);
        let (shared, requests, _) = client.map_err(located)?;
        description.labels = Labels::of(&shared);
        description.labels.results_need_no_user = description.tables.result.is_some()
            && requests.last().is_some_and(|result| !result.needs_extracted());
        Ok(description)
    }

    /// The file that it was read from.
    pub(in crate::sut) fn path(&self) -> &Path {
        &self.path
    }

    /// The name of the shop in reports.
    pub fn name(&self) -> &str {
        self.tables.shop.name.as_deref().unwrap_or("the described shop")
    }

    /// Orders that one buyer may have, if that is known.
    pub(super) fn per_buyer(&self) -> Option<u32> {
        self.tables.shop.per_buyer
    }

    /// Units at the opening of the sale, if they are stated.
    pub fn stock(&self) -> Option<u32> {
        self.tables.shop.stock
    }

    pub(super) fn accounts(&self) -> Option<&Accounts> {
        self.accounts.as_deref()
    }

    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    /// Where the orders and the stock are.
    pub(super) fn truth(&self) -> Option<&Truth> {
        self.truth.as_ref()
    }

    /// How the stock is restored.
    pub(super) fn resets(&self) -> &[Reset] {
        &self.resets
    }

    /// The folder in which its commands run.
    pub(super) fn folder(&self) -> &Path {
        let parent = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        parent.unwrap_or(Path::new("."))
    }

    /// The path of the purchase, with its placeholders.
    pub(in crate::sut) fn purchase_path(&self) -> &str {
        request_line(self.tables.purchase.request.get_ref()).map_or("", |(_, path)| path)
    }

    /// The reasons of its refusals.
    pub(in crate::sut) fn refusals(&self) -> &[&'static str] {
        &self.labels.refusals
    }

    /// The label of the purchase in reports.
    pub(in crate::sut) fn label(&self, click: Click) -> &str {
        let Labels { purchase, twin, again, .. } = &self.labels;
        match click {
            Click::First => purchase,
            Click::Twin => twin,
            Click::Again(_) => again,
        }
    }

    /// The labels of all steps, by number.
    pub(in crate::sut) fn steps(&self) -> Vec<String> {
        self.labels.steps.clone()
    }

    /// Whether the decision of an accepted attempt can be polled.
    pub fn has_result(&self) -> bool {
        self.tables.result.is_some()
    }

    /// Whether it can be polled by somebody who has not made the steps of the attempt.
    pub(in crate::sut) fn tells_results(&self) -> bool {
        self.labels.results_need_no_user
    }

    /// Whether the purchase, sent again, has no second effect.
    pub(in crate::sut) fn is_idempotent(&self) -> bool {
        let needs_user = !self.tables.setup.is_empty() || !self.tables.before.is_empty();
        self.tables.purchase.idempotent == Some(true) && !needs_user
    }

    /// Whether it says how the stock is restored.
    pub fn has_reset(&self) -> bool {
        !self.resets.is_empty()
    }

    /// Whether virtual users have to be set up.
    pub fn has_setup(&self) -> bool {
        !self.tables.setup.is_empty()
    }

    /// The first answers to purchases that no outcome matches.
    pub fn unmatched(&self) -> Vec<String> {
        self.unmatched.answers()
    }

    /// A virtual user of the shop at `host`, whose URL is `target`.
    ///
    /// # Errors
    /// When something in it is wrong.
    pub(in crate::sut) fn client(
        &self,
        host: &str,
        target: &str,
        keepalive: bool,
    ) -> Result<Client, DescriptionError> {
        let compiled = self.compile(host, target, keepalive);
        let (shared, requests, extracted) = compiled.map_err(|wrong| self.located(wrong))?;
        Ok(Client::new(shared, requests, extracted))
    }

    fn located(&self, Wrong { at, problem }: Wrong) -> DescriptionError {
        let line = line_at(&self.text, at);
        DescriptionError::Content { path: self.path.clone(), line, problem }
    }

    fn compile(
        &self,
        host: &str,
        target: &str,
        keepalive: bool,
    ) -> Result<(Shared, Vec<Request>, usize), Wrong> {
        let tables = &self.tables;
        let fixed = |name: &str| self.fixed(name, target);
        let columns = self.accounts.as_ref().map(|accounts| accounts.columns());
        let to = To { host, keepalive, headers: &tables.shop.headers };
        let (requests, steps, extracted) = (Vec::new(), Vec::new(), Vec::new());
        let purchase = tables.setup.len() + tables.before.len();
        let mut compiled = Compiled { to, purchase, requests, steps, extracted };
        check_keys(tables)?;
        let mut add = |step: &tables::Step| compiled.add(step, &fixed, columns);
        tables.setup.iter().try_for_each(&mut add)?;
        tables.before.iter().try_for_each(&mut add)?;
        add(&tables.purchase)?;
        tables.after.iter().try_for_each(&mut add)?;
        let Compiled { mut requests, steps, extracted, .. } = compiled;
        let mut results = Vec::new();
        if let Some(result) = &tables.result {
            let names = Names { fixed: &fixed, columns, extracted: &extracted };
            requests.push(Request::new(result, &to, &names, false)?);
            results = rules(&result.outcome, Of::Result, result)?;
        }
        let shared = Shared {
            before: tables.setup.len(),
            purchase,
            steps,
            outcomes: rules(&tables.outcome, Of::Purchase, &tables.purchase)?,
            results,
            accounts: self.accounts.clone(),
            unmatched: Arc::clone(&self.unmatched),
        };
        Ok((shared, requests, extracted.len()))
    }

    /// The value of a name that is the same for all virtual users; `None` if it is no such name.
    fn fixed(&self, name: &str, target: &str) -> Option<Result<String, String>> {
        if let Some(variable) = name.strip_prefix("env.") {
            let value = std::env::var(variable);
            let unset = |_| format!("the variable {} is not set", printable(variable));
            return Some(value.map_err(unset));
        }
        match name {
            "item" => Some(match &self.item {
                Some(item) => Ok(item.to_string()),
                None => Err("`{{item}}` needs --item NAME".to_owned()),
            }),
            "seed" => Some(Ok(self.seed.to_string())),
            "target" => Some(Ok(target.to_owned())),
            _ => None,
        }
    }
}

/// The labels of requests and answers in reports.
#[derive(Debug, Default)]
struct Labels {
    steps: Vec<String>,
    purchase: String,
    twin: String,
    again: String,
    refusals: Vec<&'static str>,
    /// Whether a result can be asked for without the steps of its attempt.
    results_need_no_user: bool,
}

impl Labels {
    fn of(shared: &Shared) -> Self {
        let steps: Vec<_> = shared.steps.iter().map(|step| step.name.clone()).collect();
        let purchase = steps[shared.purchase].clone();
        let mut refusals: Vec<_> = shared.outcomes.iter().filter_map(Rule::refusal).collect();
        refusals.sort_unstable();
        refusals.dedup();
        let (twin, again) = (format!("{purchase} (double click)"), format!("{purchase} (retry)"));
        Self { steps, purchase, twin, again, refusals, results_need_no_user: false }
    }
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
        fixed: &dyn Fn(&str) -> Option<Result<String, String>>,
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
fn label(request: &str, fixed: &dyn Fn(&str) -> Option<Result<String, String>>) -> String {
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
        1..=OUTCOMES_MAX => tables.iter().map(|table| Rule::compile(table, of)).collect(),
        count => Err(Wrong::at(at, format!("{count} outcomes are over {OUTCOMES_MAX}"))),
    }
}

/// Reads the tables of a description. All other keys are left to `bench`.
fn parse(text: &str) -> Result<Tables, Wrong> {
    let of_toml = |error: toml::de::Error| {
        let at = error.span().map_or(0, |span| span.start);
        Wrong::at(at, in_one_line(error.message()))
    };
    let mut document = DeTable::parse(text).map_err(of_toml)?;
    let keys = document.get_ref().keys().map(|key| key.get_ref().to_string());
    let others: Vec<String> = keys.filter(|key| !DESCRIPTION.contains(&&**key)).collect();
    for key in others {
        document.get_mut().remove(&*key);
    }
    Tables::deserialize(toml::de::Deserializer::from(document)).map_err(of_toml)
}

fn in_one_line(message: &str) -> String {
    printable(&message.trim().replace('\n', " ")).into_owned()
}

/// The line of a byte, counted from 1.
fn line_at(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}
