//! The words of a state of the sale: they fit its figures and the sale's hours.

use std::cell::OnceCell;

use crate::history::{SaleView, Stage, View};
use crate::judge::facts::Facts;
use crate::judge::invariant::Witnesses;

use super::hours::{CertainlyOpen, was_outside};

/// Compares the words of all states with their figures and the sale's hours.
pub(super) fn words_agree(facts: &Facts<'_>, broken: &mut Witnesses) {
    let open = OnceCell::new();
    let open = || open.get_or_init(|| CertainlyOpen::of(facts));
    for view in facts.views().filter(|view| !view.sale.opened) {
        fits_figures(view, broken);
        let ms = view.sent_us / 1_000;
        match view.sale.stage {
            Some(Stage::NotOpen) if open().had_opened(view.sent_us) => {
                broken.add(format_args!("not open at {ms} ms, while the sale is open"));
            }
            Some(Stage::Closed) if open().had_not_closed(view.answered_us) => {
                broken.add(format_args!("closed at {ms} ms, while the sale is open"));
            }
            Some(stage @ (Stage::Open | Stage::SoldOut)) if was_outside(facts, view) => {
                let word = if stage == Stage::Open { "open" } else { "sold out" };
                broken.add(format_args!("{word} at {ms} ms, outside the sale's hours"));
            }
            _ => {}
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
