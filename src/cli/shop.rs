//! The description of a shop that is loaded in place of `seckill serve`, and its buyers.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::profile::{BenchFlags, FlagError, Plan, Profile};
use crate::settings::Buyers;
use crate::sut::{Accounts, Description, DescriptionError, Setting, Sut};
use crate::units::Share;

use super::Failure;

/// Where the description is, and who the buyers are.
pub(super) struct Shop {
    path: Option<PathBuf>,
    accounts: Option<Accounts>,
}

impl Shop {
    /// Finds the description, and reads the file of buyers, which sets their default.
    pub(super) fn of(flags: &mut BenchFlags, profile: Option<&Path>) -> Result<Self, FlagError> {
        let in_profile = profile.filter(|profile| Description::is_in(profile));
        let path = match (&flags.sut, in_profile) {
            (Some(_), Some(_)) => {
                return Err(wrong("sut", "the profile describes a shop as well: leave out one"));
            }
            (given, found) => given.clone().or(found.map(Path::to_owned)),
        };
        check(flags, path.is_some())?;
        let Some(file) = &flags.buyers_from else { return Ok(Self { path, accounts: None }) };
        let accounts = Accounts::read(file);
        let accounts = accounts
            .map_err(|problem| wrong("buyers-from", format!("{}: {problem}", file.display())))?;
        let rows = accounts.count();
        let each = if Plan::is_open(flags) { Buyers::Pool(rows) } else { Buyers::Thread };
        match flags.buyers.get_or_insert(each) {
            Buyers::New => {
                return Err(wrong("buyers", "has them all from --buyers-from: leave it out"));
            }
            Buyers::Pool(buyers) | Buyers::Skewed { buyers, .. } if *buyers > rows => {
                let problem = format!("{buyers} are more than the {rows} rows of --buyers-from");
                return Err(wrong("buyers", problem));
            }
            _ => {}
        }
        Ok(Self { path, accounts: Some(accounts) })
    }

    /// Reads the description, and adapts the plan to it.
    pub(super) fn read(
        self,
        flags: &BenchFlags,
        plan: &mut Plan,
        explain: &dyn Fn(FlagError) -> Failure,
    ) -> Result<Sut, Failure> {
        let Self { path: Some(path), accounts } = self else { return Ok(Sut::Seckill) };
        let rows = accounts.as_ref().map(Accounts::count);
        if plan.buyers == Buyers::Thread && rows.is_some_and(|rows| rows < plan.threads) {
            let (rows, threads) = (rows.unwrap_or_default(), plan.threads);
            let problem = format!(
                "has {rows} buyers, and each of the {threads} virtual users is one: add rows, or \
                 give --threads {rows}"
            );
            return Err(explain(wrong("buyers-from", problem)));
        }
        if flags.sut.is_some() && path.exists() {
            // Its flags are left out, but a misspelt table is none of them.
            Profile::read(&path).map_err(|error| Failure::Usage(error.to_string()))?;
        }
        let repeats = plan.double_click != Share::default() || plan.retry.max > 0;
        let setting = Setting { item: plan.item.clone(), seed: plan.seed, repeats, accounts };
        let description = Description::read(&path, setting).map_err(|error| match error {
            DescriptionError::Io { .. } => match explain(wrong("sut", error.to_string())) {
                Failure::Usage(text) => Failure::Run(anyhow::Error::msg(text)),
                failure => failure,
            },
            DescriptionError::Content { .. } => Failure::Usage(error.to_string()),
        })?;
        if description.has_setup() {
            if Plan::is_open(flags) {
                let problem = "[[setup]] is for each virtual user: use --threads";
                return Err(explain(wrong("rate", problem)));
            }
            if flags.buyers.is_none() {
                plan.buyers = Buyers::Thread;
            }
        }
        if plan.follow && !description.has_result() {
            let problem = "the description has no [result] to wait for: leave it out";
            return Err(explain(wrong("follow", problem)));
        }
        if flags.reset == Some(true) && !description.has_reset() {
            return Err(explain(wrong("reset", "the description has no [[reset]]: add one")));
        }
        Ok(Sut::Described(Arc::new(description)))
    }
}

/// Checks the flags that only one kind of tested system has.
fn check(flags: &BenchFlags, is_described: bool) -> Result<(), FlagError> {
    let needs = "needs a description of the shop: add --sut FILE";
    let is_set = |flag: Option<bool>| flag == Some(true);
    let wrongs = [
        ("reset", !is_described && is_set(flags.reset), needs),
        ("buyers-from", !is_described && flags.buyers_from.is_some(), needs),
        (
            "spawn",
            is_described && is_set(flags.spawn),
            "starts `seckill serve`, and no shop: leave it out",
        ),
        (
            "stock",
            is_described && flags.stock.is_some(),
            "opens a sale of `seckill serve`: use --reset, and `stock` in [shop]",
        ),
    ];
    match wrongs.into_iter().find(|(_, is_wrong, _)| *is_wrong) {
        Some((flag, _, problem)) => Err(wrong(flag, problem)),
        None => Ok(()),
    }
}

fn wrong(flag: &'static str, problem: impl Into<String>) -> FlagError {
    FlagError::new(flag, problem)
}
