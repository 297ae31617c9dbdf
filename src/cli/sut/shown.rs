//! What `seckill sut check` shows of requests and answers, without secrets, and of the orders.

use std::fmt::Write;

use crate::escape::printable;
use crate::history::{Ledger, Row, SaleTerms, Status};
use crate::load::{Part, Rehearsed};
use crate::sut::{ControlError, Secrets};

/// Replaces secrets wherever a request or its answer has them: a shop may send back what it got.
pub(super) fn hide(secrets: &Secrets, requests: &mut [Rehearsed]) {
    for Rehearsed { request, answer, part, .. } in requests {
        hide_in(secrets, request);
        if let Ok((_, body)) = answer {
            hide_in(secrets, body);
        }
        if let Part::Step(_, extracted, _) | Part::Purchase(extracted, ..) = part {
            extracted.iter_mut().for_each(|(_, value)| *value = secrets.hide(value));
        }
    }
}

fn hide_in(secrets: &Secrets, bytes: &mut Vec<u8>) {
    *bytes = secrets.hide(&String::from_utf8_lossy(bytes)).into_bytes();
}

/// The beginning of a text, escaped and in one line.
pub(super) fn cut(text: &str, len: usize) -> String {
    let text = text.trim();
    let cut: String = text.chars().take(len).collect();
    let dots = if cut.len() < text.len() { "…" } else { "" };
    format!("{}{dots}", printable(&cut))
}

/// Tells of the orders and the stock that were read, or why they were not.
pub(super) fn line_of_ledger(
    text: &mut String,
    when: &str,
    ledger: &Result<Ledger, String>,
) -> bool {
    match ledger {
        Ok(ledger) => {
            let orders = orders(ledger);
            let left = match ledger.tells.stock {
                true => format!("{} left", ledger.sale.stock_left),
                false => "units left not told".to_owned(),
            };
            let _ = writeln!(text, "{when:<9}  {}, {left}", of(orders));
            true
        }
        Err(error) => {
            let _ = writeln!(text, "! {when:<7}  {}", printable(error));
            false
        }
    }
}

fn of(orders: usize) -> String {
    format!("{orders} order{}", if orders == 1 { "" } else { "s" })
}

/// Whether the stock that the description states is what is left and sold.
pub(super) fn stock_adds_up(text: &mut String, ledger: &Result<Ledger, String>) -> bool {
    let Ok(ledger) = ledger else { return true };
    let SaleTerms { stock, stock_left, .. } = ledger.sale;
    let orders = orders(ledger);
    let is_right =
        !ledger.tells.stock || i128::from(stock) == i128::from(stock_left) + orders as i128;
    if !is_right {
        let error = ControlError::StockDiffers { stock, stock_left, orders: orders as u64 };
        let _ = writeln!(text, "! stock     {error}");
    }
    is_right
}

fn orders(ledger: &Ledger) -> usize {
    let won = |row: &&Row| matches!(row.status, Status::Won(_));
    ledger.rows.iter().filter(won).count()
}
