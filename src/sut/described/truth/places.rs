//! Whether the records have what the description names of them: a misspelt name would be taken for
//! a field that is not told.

use crate::escape::printable;
use crate::history::{Found, FoundStatus};

use super::error::Problem;
use super::mapping::{Mapping, Shape};
use super::record::Record;

/// Something that the description names of the records.
struct Place<'a> {
    /// Where it is.
    at: &'a str,
    /// What it is, for errors.
    what: String,
    /// Of which records one must have it. Rows always have the column.
    needed: Needed,
}

/// The records of which at least one must have what the description names.
#[derive(Debug, Clone, Copy)]
enum Needed {
    Selected,
    Won,
    /// It may be missing in each.
    None,
}

impl Mapping {
    /// Checks that what is named is among these columns of a table, if there are any: without a
    /// row, a wrong output would be taken for no order.
    pub(super) fn check_columns(&self, columns: &[String]) -> Result<(), Problem> {
        let has = |at: &str| columns.iter().any(|column| **column == *at);
        match self.places().find(|place| !has(place.at)) {
            Some(Place { at, what, .. }) if !columns.is_empty() => Err(Problem::lasting(format!(
                "no column is `{at}`, the place of {what}: the first row has {}",
                printable(&columns.join(", "))
            ))),
            _ => Ok(()),
        }
    }

    /// Checks that what is named is in at least one of the records, of which these are the orders.
    pub(super) fn check_places(&self, records: &[Record], found: &[Found]) -> Result<(), Problem> {
        let Some(first) = records.first() else { return Ok(()) };
        let names: Vec<_> = first.names.iter().map(|name| &**name).collect();
        let selected: Vec<&Record> = records.iter().filter(|one| self.is_selected(one)).collect();
        let has_won = found.iter().any(|found| found.status == FoundStatus::Won);
        for Place { at, what, needed } in self.places() {
            let has = |record: &Record| record.value(at).is_some();
            let is_right = match (self.shape, needed) {
                (Shape::Columns, _) => names.contains(&at),
                (_, Needed::Selected) => {
                    selected.is_empty() || selected.iter().any(|record| has(record))
                }
                (_, Needed::Won) => !has_won || selected.iter().any(|record| has(record)),
                (_, Needed::None) => true,
            };
            if !is_right {
                let is = match names.is_empty() {
                    true => format!("the first is {}", first.text()),
                    false => format!("they have {}", names.join(", ")),
                };
                let problem = format!("no record has `{at}`, the place of {what}: {is}");
                return Err(Problem::lasting(problem));
            }
        }
        Ok(())
    }

    fn places(&self) -> impl Iterator<Item = Place<'_>> {
        let fields = self.fields.iter().map(|(field, at)| {
            let needed = match *field {
                "order_id" => Needed::Won,
                "decided_us" | "reason" => Needed::None,
                _ => Needed::Selected,
            };
            Place { at, what: format!("`{field}`"), needed }
        });
        // Objects without it, such as a line before the orders, may be all that there are.
        let only = self.only.iter().map(|(at, _)| {
            let what = "a value of `only`".to_owned();
            Place { at, what, needed: Needed::None }
        });
        fields.chain(only)
    }
}
