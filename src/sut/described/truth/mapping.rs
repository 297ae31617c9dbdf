//! From records to orders: which are selected, and where each field is in them.

use std::collections::BTreeMap;

use regex::Regex;

use crate::escape::printable;
use crate::history::{Found, FoundStatus, Loss, Tells};
use crate::similar::nearest;
use crate::sut::described::matcher::{Matcher, check_pointer, regex};
use crate::sut::described::wrong::Wrong;

use super::error::Problem;
use super::limits::VALUE_LEN_MAX;
use super::record::Record;
use super::tables::{OrdersTable, StatusesTable};
use super::values::{loss, number, time_us};

/// The fields of an order.
const FIELDS: [&str; 9] = [
    "request_id",
    "buyer",
    "order_id",
    "item",
    "seq",
    "accepted_us",
    "decided_us",
    "status",
    "reason",
];

/// What the records of a source are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Values of JSON.
    Json,
    /// Rows with named columns.
    Columns,
    /// Entries of Redis, which may be anything.
    Entries,
    /// Lines of text, which may be JSON.
    Lines,
}

/// How records become orders.
#[derive(Debug)]
pub(super) struct Mapping {
    pub(super) shape: Shape,
    pub(super) fields: BTreeMap<&'static str, Box<str>>,
    pattern: Option<Regex>,
    patterns: BTreeMap<&'static str, Regex>,
    pub(super) only: Vec<(Box<str>, Matcher)>,
    statuses: Vec<(FoundStatus, Matcher)>,
    /// Whether a record must have a status.
    needs_status: bool,
    complete: bool,
}

/// The known field with this name.
fn field(name: &str, at: usize) -> Result<&'static str, Wrong> {
    if let Some(known) = FIELDS.into_iter().find(|known| *known == name) {
        return Ok(known);
    }
    let shown = printable(name);
    Err(Wrong::at(
        at,
        match nearest(name, FIELDS) {
            Some(meant) => format!("unknown field `{shown}`: the nearest is `{meant}`"),
            None => format!("unknown field `{shown}`: the fields are {}", FIELDS.join(", ")),
        },
    ))
}

impl Mapping {
    /// Checks the keys that say how the records of a source of this shape become orders.
    pub(super) fn new(table: &OrdersTable, shape: Shape) -> Result<Self, Wrong> {
        let place = |at: usize, text: &str| match shape {
            Shape::Json => check_pointer(text).map_err(|problem| Wrong::at(at, problem)),
            Shape::Columns if text.is_empty() || text.starts_with('/') => {
                let problem = format!(
                    "`{}` is a JSON pointer, and the rows have columns: write \
                                       the column's name",
                    printable(text)
                );
                Err(Wrong::at(at, problem))
            }
            _ => Ok(()),
        };
        let mut fields = BTreeMap::new();
        for (name, value) in table.fields.iter().flat_map(|fields| fields.get_ref()) {
            let at = value.span().start;
            place(at, value.get_ref())?;
            fields.insert(field(name, at)?, value.get_ref().as_str().into());
        }
        let mut only = Vec::new();
        for (name, value) in table.only.iter().flat_map(|only| only.get_ref()) {
            place(value.span().start, name)?;
            let matcher = Matcher::new(value.get_ref()).map_err(|p| Wrong::of(value, p))?;
            only.push((name.as_str().into(), matcher));
        }
        let mut mapping = Self {
            shape,
            fields,
            pattern: pattern(table)?,
            patterns: BTreeMap::new(),
            only,
            statuses: statuses(table.statuses.as_ref().map(toml::Spanned::get_ref))?,
            needs_status: table.statuses.is_some(),
            complete: table.complete.as_ref().is_some_and(|complete| *complete.get_ref()),
        };
        for (name, value) in table.patterns.iter().flat_map(|patterns| patterns.get_ref()) {
            let name = field(name, value.span().start)?;
            if shape != Shape::Columns && !mapping.fields.contains_key(name) {
                let problem = format!("it looks into the field `{name}`: name it in `fields`, too");
                return Err(Wrong::of(value, problem));
            }
            let compiled = regex(value.get_ref()).map_err(|p| Wrong::of(value, p))?;
            if compiled.captures_len() != 2 {
                let problem = "must have one group, in parentheses, which is the field's value";
                return Err(Wrong::of(value, problem));
            }
            mapping.patterns.insert(name, compiled);
        }
        mapping.check_status(table)?;
        Ok(mapping)
    }

    fn check_status(&self, table: &OrdersTable) -> Result<(), Wrong> {
        // The columns of a row are not known before they are read.
        if self.names("status") || self.shape == Shape::Columns {
            return Ok(());
        }
        if let Some(complete) = table.complete.as_ref().filter(|complete| *complete.get_ref()) {
            let problem = "needs the field `status`: without it, every record is an order";
            return Err(Wrong::of(complete, problem));
        }
        match &table.statuses {
            // Objects may have a key of this name.
            Some(_) if self.shape == Shape::Json => Ok(()),
            Some(statuses) => {
                let problem = "needs the field `status`: say in `fields` where it is";
                Err(Wrong::of(statuses, problem))
            }
            None => Ok(()),
        }
    }

    /// Whether the description says where a field is.
    fn names(&self, field: &str) -> bool {
        let is_group = |pattern: &Regex| pattern.capture_names().flatten().any(|n| n == field);
        self.fields.contains_key(field) || self.pattern.as_ref().is_some_and(is_group)
    }

    /// What the source can tell: what the description says, and what was found in its rows.
    pub(super) fn tells(&self, found: &[Found]) -> Tells {
        let tells =
            |field: &str, has: fn(&Found) -> bool| self.names(field) || found.iter().any(has);
        Tells {
            attempts: self.complete,
            request_ids: tells("request_id", |found| found.request_id.is_some()),
            buyers: tells("buyer", |found| found.buyer.is_some()),
            order_ids: tells("order_id", |found| found.order_id.is_some()),
            items: tells("item", |found| found.item.is_some()),
            positions: tells("seq", |found| found.seq.is_some()),
            times: tells("accepted_us", |found| found.accepted_us.is_some()),
            ..Tells::COUNT
        }
    }

    /// The orders in these records.
    pub(super) fn orders(&self, records: &[Record]) -> Result<Vec<Found>, Problem> {
        let mut found = Vec::new();
        for (at, record) in records.iter().enumerate() {
            let order = self.order(record);
            let order = order
                .map_err(|problem| Problem::lasting(format!("record {} {problem}", at + 1)))?;
            found.extend(order);
        }
        Ok(found)
    }

    /// Whether the description says which records count.
    pub(super) fn selects(&self) -> bool {
        !self.only.is_empty()
    }

    /// Whether the description leaves the record in.
    pub(super) fn is_selected(&self, record: &Record) -> bool {
        let matches = |(place, matcher): &(Box<str>, Matcher)| {
            matcher.matches(record.value(place).as_deref())
        };
        self.only.iter().all(matches)
    }

    fn order(&self, record: &Record) -> Result<Option<Found>, String> {
        if !self.is_selected(record) {
            return Ok(None);
        }
        let text = record.text();
        let groups = match &self.pattern {
            None => None,
            Some(pattern) => match pattern.captures(&text) {
                Some(groups) => Some(groups),
                // Only lines are usually mixed with others.
                None if self.shape == Shape::Lines => return Ok(None),
                None => return Err(format!("does not match `pattern`: {}", printable(&text))),
            },
        };
        let get = |field: &'static str| -> Result<Option<Box<str>>, String> {
            let group = groups.as_ref().and_then(|groups| groups.name(field));
            let value = match (group, self.fields.get(field)) {
                (Some(group), _) => Some(group.as_str().to_owned()),
                (None, Some(place)) => record.get(place),
                (None, None) => record.named(field),
            };
            let Some(value) = value else { return Ok(None) };
            let value = match self.patterns.get(field) {
                None => &*value,
                Some(pattern) => match pattern.captures(&value).and_then(|groups| groups.get(1)) {
                    Some(group) => group.as_str(),
                    None => return Ok(None),
                },
            };
            if value.len() > VALUE_LEN_MAX {
                return Err(format!(
                    "has a `{field}` of {} bytes, and at most {VALUE_LEN_MAX} are \
                                    read: is it the right place?",
                    value.len()
                ));
            }
            Ok(Some(value.into()))
        };
        Ok(Some(Found {
            request_id: get("request_id")?,
            buyer: get("buyer")?,
            order_id: get("order_id")?,
            item: get("item")?,
            seq: get("seq")?.map(|text| number(&text, "seq")).transpose()?,
            accepted_us: get("accepted_us")?.map(|text| time_us(&text)).transpose()?,
            decided_us: get("decided_us")?.map(|text| time_us(&text)).transpose()?,
            status: self.status(get("status")?, get("reason")?)?,
        }))
    }

    fn status(
        &self,
        status: Option<Box<str>>,
        reason: Option<Box<str>>,
    ) -> Result<FoundStatus, String> {
        let Some(status) = status else {
            if self.names("status") || self.needs_status || self.complete {
                return Err("has no status: leave it out with `only`, or correct `fields`".into());
            }
            return Ok(FoundStatus::Won);
        };
        let known = self.statuses.iter().find(|(_, matcher)| matcher.matches_text(&status));
        match known {
            Some((FoundStatus::Lost(_), _)) => Ok(FoundStatus::Lost(loss(reason.as_deref()))),
            Some((status, _)) => Ok(*status),
            None => Err(format!(
                "has the status `{}`: add it to won, lost or queued in `statuses`, or leave such \
                 records out with `only`",
                printable(&status)
            )),
        }
    }
}

fn pattern(table: &OrdersTable) -> Result<Option<Regex>, Wrong> {
    let Some(value) = &table.pattern else { return Ok(None) };
    let pattern = regex(value.get_ref()).map_err(|problem| Wrong::of(value, problem))?;
    let mut groups = pattern.capture_names().flatten().peekable();
    if groups.peek().is_none() {
        let problem = "has no named group: write (?<buyer>…) around what is the buyer";
        return Err(Wrong::of(value, problem));
    }
    for group in groups {
        let known = field(group, value.span().start)?;
        if table.fields.as_ref().is_some_and(|fields| fields.get_ref().contains_key(known)) {
            let problem = format!("`{known}` is in `fields`, too: leave out one");
            return Err(Wrong::of(value, problem));
        }
    }
    Ok(Some(pattern))
}

/// The states and what means them. By default they are called as this program calls them.
fn statuses(table: Option<&StatusesTable>) -> Result<Vec<(FoundStatus, Matcher)>, Wrong> {
    let lost = FoundStatus::Lost(Loss::Unstated);
    let Some(table) = table else {
        let words = [(FoundStatus::Won, "won"), (lost, "lost"), (FoundStatus::Queued, "queued")];
        return Ok(words.map(|(status, word)| (status, Matcher::Is(word.to_owned()))).into());
    };
    let given =
        [(FoundStatus::Won, &table.won), (lost, &table.lost), (FoundStatus::Queued, &table.queued)];
    let mut statuses: Vec<(FoundStatus, Matcher)> = Vec::new();
    for (status, value) in given {
        let Some(value) = value else { continue };
        let matcher = Matcher::new(value.get_ref()).map_err(|p| Wrong::of(value, p))?;
        let is_known = |one: &Matcher| statuses.iter().any(|(_, other)| other.covers(one));
        let is_twice = match &matcher {
            Matcher::Any(any) => any.iter().any(is_known),
            one => is_known(one),
        };
        if is_twice {
            let problem = "a value stands in another list, too: each means one state only";
            return Err(Wrong::of(value, problem));
        }
        statuses.push((status, matcher));
    }
    Ok(statuses)
}
