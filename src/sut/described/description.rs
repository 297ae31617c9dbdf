//! [`Description`]: the tables of a profile that describe a shop, read and checked.

use std::num::NonZeroU32;
use std::path::Path;
use std::sync::Arc;

use crate::ids::ItemId;
use crate::stats::Click;

use super::accounts::Accounts;
use super::client::{Client, Shared, Unmatched};
use super::compiled::compile;
use super::file::{DescriptionError, File, is_description};
use super::labels::Labels;
use super::request::{Request, request_line};
use super::secrets::{self, ENV, Secrets};
use super::tables::Tables;
use super::truth::{Reset, Truth};
use super::wrong::Wrong;

/// What the description of a shop is read with.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The item to buy, if a flag names one.
    pub item: Option<ItemId>,
    /// The seed of the run.
    pub seed: u64,
    /// Whether the run sends attempts several times: double clicks, retries.
    pub repeats: bool,
    /// The accounts of the buyers, if there is a file of them.
    pub accounts: Option<Accounts>,
}

/// A shop as its description says.
#[derive(Debug)]
pub struct Description {
    file: File,
    tables: Tables,
    item: Option<ItemId>,
    seed: u64,
    accounts: Option<Arc<Accounts>>,
    repeats: bool,
    truth: Option<Truth>,
    resets: Vec<Reset>,
    labels: Labels,
    unmatched: Arc<Unmatched>,
}

impl Description {
    /// Whether a profile describes a shop.
    pub fn is_in(path: &Path) -> bool {
        is_description(path)
    }

    /// Reads and checks the description in a profile. Other keys are flags of `bench`.
    ///
    /// # Errors
    /// When the file cannot be read, or something in it is wrong.
    pub fn read(path: &Path, setting: Setting) -> Result<Self, DescriptionError> {
        let file = File::read(path)?;
        let located = |wrong| file.located(wrong);
        let tables = file.tables().map_err(located)?;
        let truth = tables.truth.as_ref().map(Truth::new).transpose().map_err(located)?;
        let resets = tables.reset.iter().map(Reset::new).collect::<Result<_, _>>();
        let resets = resets.map_err(located)?;
        let Setting { item, seed, repeats, accounts } = setting;
        let accounts = accounts.map(Arc::new);
        let unmatched = Arc::new(Unmatched::without(Secrets::of(&file.text)));
        let mut description = Self {
            file,
            tables,
            item,
            seed,
            accounts,
            repeats,
            truth,
            resets,
            labels: Labels::default(),
            unmatched,
        };
        let compiled = description.compile("127.0.0.1:80", "http://127.0.0.1", true);
        let (shared, requests, _) = compiled.map_err(|wrong| description.file.located(wrong))?;
        description.labels = Labels::of(&shared);
        // What a user's steps have extracted, and its cookies, are gone after the load.
        let Tables { setup, before, result, .. } = &description.tables;
        description.labels.results_need_no_user = result.is_some()
            && setup.is_empty()
            && before.is_empty()
            && requests.last().is_some_and(|result| !result.needs_extracted());
        Ok(description)
    }

    /// The file that it was read from.
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    /// The name of the shop in reports.
    pub fn name(&self) -> &str {
        self.tables.shop.name.as_deref().unwrap_or("the described shop")
    }

    /// Orders that one buyer may have, if that is known.
    pub(super) fn per_buyer(&self) -> Option<u32> {
        self.tables.shop.per_buyer.map(NonZeroU32::get)
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

    /// What the sources of the truth make of a body, whatever it is: the number of orders, or the
    /// number in it, or why there is none. Fuzz targets call this; nothing is read.
    pub fn truth_of(&self, body: &[u8]) -> Vec<Result<i64, String>> {
        self.truth.iter().flat_map(|truth| truth.of_body(body)).collect()
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
        let parent = self.file.path.parent().filter(|parent| !parent.as_os_str().is_empty());
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

    /// Whether an attempt of this run has one effect at the most, however often it is sent.
    pub(super) fn has_one_effect(&self) -> bool {
        self.tables.purchase.idempotent == Some(true) || !self.repeats
    }

    /// Whether the purchase, sent again, has no second effect.
    pub(in crate::sut) fn is_idempotent(&self) -> bool {
        let needs_user = !self.tables.setup.is_empty() || !self.tables.before.is_empty();
        self.tables.purchase.idempotent == Some(true) && !needs_user
    }

    /// Whether it says where the units left are.
    pub fn has_stock(&self) -> bool {
        self.truth.as_ref().is_some_and(|truth| truth.tells_numbers().0)
    }

    /// Whether it says where the orders are.
    pub fn has_orders(&self) -> bool {
        self.truth.is_some()
    }

    /// Whether it says how the stock is restored.
    pub fn has_reset(&self) -> bool {
        !self.resets.is_empty()
    }

    /// Whether it is known which item is bought.
    pub(super) fn names_item(&self) -> bool {
        self.item.is_some()
    }

    /// The secrets that it takes from the environment.
    pub fn secrets(&self) -> Secrets {
        Secrets::of(&self.file.text)
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
        let (shared, requests, extracted) = compiled.map_err(|wrong| self.file.located(wrong))?;
        Ok(Client::new(shared, requests, extracted))
    }

    fn compile(
        &self,
        host: &str,
        target: &str,
        keepalive: bool,
    ) -> Result<(Shared, Vec<Request>, usize), Wrong> {
        let fixed = |name: &str| self.fixed(name, target);
        let accounts = self.accounts.as_ref();
        compile(&self.tables, (host, keepalive), &fixed, accounts, &self.unmatched)
    }

    /// The value of a name that is the same for all virtual users; `None` if it is no such name.
    fn fixed(&self, name: &str, target: &str) -> Option<Result<String, String>> {
        if let Some(variable) = name.strip_prefix(ENV) {
            return Some(secrets::variable(variable));
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
