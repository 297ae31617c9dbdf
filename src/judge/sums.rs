//! Whether stock, units left and orders fit together.

use crate::history::{SaleView, View};

/// Whether the units left and the orders make up the stock.
pub(super) fn is_sum(stock: u64, left: i64, orders: u64) -> bool {
    i128::from(stock) == i128::from(left) + i128::from(orders)
}

/// Whether the units left and the orders of this state make up its stock. If not, it breaks
/// `stock_conserved` and no other invariant of its figures.
pub(super) fn adds_up(view: &View) -> bool {
    let SaleView { stock, stock_left, orders, .. } = view.sale;
    is_sum(stock, stock_left, orders)
}

/// How many orders this state has above its stock.
pub(super) fn oversold_by(view: &View) -> u64 {
    view.sale.orders.saturating_sub(view.sale.stock)
}
