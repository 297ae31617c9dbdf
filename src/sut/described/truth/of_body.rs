//! What the sources make of a body, without a source: for bodies that no shop sends.

use super::Truth;
use super::error::Problem;

impl Truth {
    /// What each source that reads bodies finds in this one: the number of orders, or the number
    /// that it has; or why it finds none, on one line.
    pub(in crate::sut) fn of_body(&self, body: &[u8]) -> Vec<Result<i64, String>> {
        let shown = |problem: Problem| crate::escape::printable(&problem.text).into_owned();
        let orders = self.orders.of_body(body).map(|orders| orders.len() as i64);
        let numbers = [&self.stock, &self.queued].into_iter().flatten();
        let numbers = numbers.map(|number| number.of_body(body));
        std::iter::once(orders).chain(numbers).map(|found| found.map_err(shown)).collect()
    }
}
