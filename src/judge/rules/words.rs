//! The words of a state of the sale: they fit its figures, and hours that it does not have.

use crate::history::{Hours, SaleView, Stage, View};
use crate::judge::facts::Facts;
use crate::judge::invariant::Witnesses;

use super::hours::CertainlyOpen;

/// Compares the words of all states with their figures and the sale's hours.
pub(super) fn words_agree(facts: &Facts<'_>, broken: &mut Witnesses) {
    let (hours, mut open) = (facts.hours(), None);
    for view in facts.views().filter(|view| !view.sale.opened) {
        fits_figures(view, broken);
        if matches!(view.sale.stage, Some(Stage::NotOpen | Stage::Closed)) {
            let open = open.get_or_insert_with(|| CertainlyOpen::of(facts));
            fits_hours(view, hours, open, broken);
        }
    }
}

fn fits_figures(view: &View, broken: &mut Witnesses) {
    let SaleView { stock_left: left, queued, stage, finished, .. } = view.sale;
    let ms = view.sent_us / 1_000;
    match stage {
        Some(Stage::Open) if left <= 0 => {
            broken.add(format_args!("open at {ms} ms, and no unit left"));
        }
        Some(Stage::SoldOut) if left > 0 => {
            broken.add(format_args!("sold out at {ms} ms, and {left} units left"));
        }
        Some(Stage::Other) => broken.add(format_args!("a status at {ms} ms that no sale has")),
        _ => {}
    }
    let is_finished = left <= 0 && queued == 0;
    if finished.is_some_and(|finished| finished != is_finished) {
        let word = if is_finished { "not finished" } else { "finished" };
        broken.add(format_args!("{word} at {ms} ms, with {left} units left and {queued} queued"));
    }
}

/// A sale without an opening is never before it, and one without a closing is never after it. Where
/// a sale has hours, its clock may be set, so the moment is not judged.
fn fits_hours(
    View { sent_us, answered_us, sale }: &View,
    hours: Option<Hours>,
    open: &CertainlyOpen,
    broken: &mut Witnesses,
) {
    let (word, is_false) = match (sale.stage, hours) {
        (Some(Stage::NotOpen), Some(hours)) => ("not open", hours.opens_us.is_none()),
        (Some(Stage::NotOpen), None) => ("not open", open.had_opened(*sent_us)),
        (_, Some(hours)) => ("closed", hours.closes_us.is_none()),
        (_, None) => ("closed", open.had_not_closed(*answered_us)),
    };
    let ms = sent_us / 1_000;
    broken.add_if(is_false, format_args!("{word} at {ms} ms, while the sale is open"));
}
