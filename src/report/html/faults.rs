//! The faults of a run: shades in the charts over time, and a table.

use crate::archive::Run;
use crate::report::faults::{seen, what_followed};
use crate::report::words::{missing, outside};

use super::chart::{Axes, Mark};
use super::figures::Table;

/// When each fault lasted, in seconds since the beginning of the load.
#[derive(Debug, Default)]
pub(super) struct Faults(Vec<(f64, Option<f64>)>);

impl Faults {
    pub(super) fn of(run: &Run) -> Self {
        let seconds = |us: u64| us as f64 / 1e6;
        let began = run.faults.iter().filter_map(|fault| Some((fault.began_us?, fault.ended_us)));
        Self(began.map(|(began, ended)| (seconds(began), ended.map(seconds))).collect())
    }

    /// All of them as one mark of a chart that ends at `end_s`, if there is one.
    pub(super) fn mark(&self, axes: &Axes, end_s: f64) -> Option<Mark> {
        let shade = |(began, ended): &(f64, Option<f64>)| {
            let (from, to) = (began.min(end_s), ended.map_or(end_s, |ended| ended.min(end_s)));
            axes.shade(from, to)
        };
        let path: String = self.0.iter().map(shade).collect();
        let name = match self.0.len() {
            1 => "a fault".to_owned(),
            faults => format!("{faults} faults"),
        };
        (!path.is_empty()).then_some(Mark { class: "fault", is_band: true, name, path })
    }
}

/// What happened of each fault.
pub(super) fn table(run: &Run) -> Table {
    let head = ["Fault", "From", "To", "What buyers saw while it lasted", "Afterwards"];
    let moment =
        |us: Option<u64>| us.map_or_else(missing, |us| format!("{:.1}\u{a0}s", us as f64 / 1e6));
    let rows = run.faults.iter().map(|fault| {
        vec![
            outside(&fault.fault),
            moment(fault.began_us),
            moment(fault.ended_us),
            fault.began_us.map_or_else(missing, |_| seen(fault)),
            what_followed(fault),
        ]
    });
    Table::new("Faults", &head, rows.collect())
}
