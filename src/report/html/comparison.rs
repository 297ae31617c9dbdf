//! Several runs side by side.

use crate::archive::{Change, Compared, Measure, compare, plan_differences};
use crate::report::titled::Titled;
use crate::report::tone::Tone;
use crate::report::verdict::verdict_line;
use crate::report::words::{measure, outside};

/// The figures of several runs.
pub(super) struct Comparison {
    pub(super) runs: Vec<RunView>,
    pub(super) rows: Vec<RowView>,
}

pub(super) struct RunView {
    pub(super) name: String,
    pub(super) verdict: String,
    pub(super) tone: Tone,
    /// The flags that not all runs have.
    pub(super) differences: Vec<String>,
}

pub(super) struct RowView {
    pub(super) name: &'static str,
    pub(super) cells: Vec<CellView>,
}

pub(super) struct CellView {
    pub(super) value: String,
    /// The relative difference from the first run, with a sign and a word.
    pub(super) change: Option<String>,
    pub(super) class: &'static str,
}

impl Comparison {
    pub(super) fn new(runs: &[Titled<'_>]) -> Self {
        let all: Vec<_> = runs.iter().map(|titled| titled.run).collect();
        let rows = compare(&all).into_iter().map(|figure| RowView {
            name: figure.name,
            cells: figure.runs.iter().map(|run| cell(figure.measure, run)).collect(),
        });
        let differences = plan_differences(&all).into_iter();
        let runs = runs.iter().zip(differences).map(|(titled, flags)| RunView {
            name: outside(titled.name),
            verdict: verdict_line(titled.run, false),
            tone: Tone::of(titled.run),
            differences: flags.iter().map(|flag| outside(flag)).collect(),
        });
        Self { runs: runs.collect(), rows: rows.collect() }
    }
}

fn cell(how: Measure, compared: &Compared) -> CellView {
    let percent = compared.relative.map(|relative| match relative {
        relative if relative.abs() < 0.0005 => "same".to_owned(),
        relative if relative >= 9.0 => format!("× {:.0}", relative + 1.0),
        relative => format!("{:+.1} %", 100.0 * relative).replace('-', "−"),
    });
    let (word, class) = match compared.change {
        Change::Neutral => (None, "none"),
        Change::Better => (Some("▼ better"), "good"),
        Change::Worse => (Some("▲ worse"), "bad"),
    };
    let words: Vec<_> = percent.into_iter().chain(word.map(str::to_owned)).collect();
    let change = (!words.is_empty()).then(|| words.join(" "));
    CellView { value: measure(how, compared.value), change, class }
}
