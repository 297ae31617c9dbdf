//! A run second by second, in memory that is bounded for any length of the run: when there are too
//! many rows, adjacent pairs are merged. The merge is exact, since each row keeps its histogram.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use hdrhistogram::Histogram;
use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer};

use super::recorder::histogram;
use super::{ErrorKind, Outcome, Recorder, Sink};

/// Maximum number of rows; each of the two histograms of a row takes about half a kibibyte.
const ROWS_MAX: usize = 1024;

/// The most recently read state of the sale, as far as it is read during the run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SaleNow {
    /// Units not sold.
    pub stock_left: Option<i64>,
    /// Attempts that are accepted and not decided.
    pub queued: Option<u64>,
}

/// One row: a second, or several seconds of a long run.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The beginning of the row, in seconds since the beginning of the run.
    pub from_s: u64,
    /// The end of the row, likewise.
    pub to_s: u64,
    /// Requests that began in the row.
    pub began: u64,
    /// Requests that ended in the row.
    pub ended: u64,
    /// Of these, requests without a usable answer.
    pub errors: u64,
    /// Usable answers by outcome, without those that did not occur.
    pub by_outcome: Vec<(Outcome, u64)>,
    /// Errors by kind, without those that did not occur.
    pub by_error: Vec<(ErrorKind, u64)>,
    /// The median of the latencies, in microseconds.
    pub p50_us: u64,
    /// The 99th percentile of the latencies, in microseconds.
    pub p99_us: u64,
    /// The median of the corrected latencies, in microseconds.
    pub corrected_p50_us: u64,
    /// The 99th percentile of the corrected latencies, in microseconds.
    pub corrected_p99_us: u64,
    /// The state of the sale that was read last before the end of the row; in a row of several
    /// seconds, the most that was queued at the end of one of them.
    pub sale: SaleNow,
}

/// The rows of a run.
#[derive(Debug, Clone)]
pub struct Series {
    rows: Vec<Row>,
    seconds_per_row: u64,
}

#[derive(Debug, Clone)]
struct Row {
    /// The row's first second divided by the seconds of a row.
    index: u64,
    began: u64,
    errors: BTreeMap<ErrorKind, u64>,
    outcomes: [u64; Outcome::COUNT],
    latency: Packed,
    corrected: Packed,
    sale: SaleNow,
}

/// A V2 histogram with deflate, as in a histogram log; empty if no request ended.
#[derive(Debug, Clone)]
struct Packed(Vec<u8>);

impl Default for Series {
    fn default() -> Self {
        Self { rows: Vec::new(), seconds_per_row: 1 }
    }
}

/// Keeps the series of a run as a [`Sink`].
#[derive(Debug)]
pub struct SeriesSink {
    series: Series,
    /// The sale as the task that watches it has read it last.
    sale: Arc<Mutex<SaleNow>>,
}

impl SeriesSink {
    /// An empty series, whose rows take the sale from `sale`.
    pub fn new(sale: Arc<Mutex<SaleNow>>) -> Self {
        Self { series: Series::default(), sale }
    }

    /// The series of the run so far.
    pub fn finish(self) -> Series {
        self.series
    }
}

impl Sink for SeriesSink {
    fn second(&mut self, second: u64, recorder: &Recorder) {
        let sale = *self.sale.lock().unwrap_or_else(PoisonError::into_inner);
        self.series.push(second, recorder, sale);
    }
}

impl Series {
    /// Adds second `second` of the run, from 0, and the sale after it. Seconds come in order.
    pub fn push(&mut self, second: u64, recorder: &Recorder, sale: SaleNow) {
        let row = Row {
            index: second / self.seconds_per_row,
            began: recorder.counts.began,
            errors: recorder.errors.clone(),
            outcomes: recorder.outcomes,
            latency: Packed::new(&recorder.latency),
            corrected: Packed::new(&recorder.corrected),
            sale,
        };
        self.add(row);
        while self.rows.len() > ROWS_MAX {
            self.seconds_per_row *= 2;
            for mut row in std::mem::take(&mut self.rows) {
                row.index /= 2;
                self.add(row);
            }
        }
    }

    /// Replaces the sale of the last row, when the sale was read again after the run.
    pub fn set_last_sale(&mut self, sale: SaleNow) {
        if let Some(last) = self.rows.last_mut() {
            last.sale = sale;
        }
    }

    fn add(&mut self, row: Row) {
        match self.rows.last_mut() {
            Some(last) if last.index == row.index => last.merge(row),
            _ => self.rows.push(row),
        }
    }

    /// The rows.
    pub fn points(&self) -> impl Iterator<Item = Point> {
        self.rows.iter().map(|row| {
            let [p50_us, p99_us] = row.latency.quantiles();
            let [corrected_p50_us, corrected_p99_us] = row.corrected.quantiles();
            let errors = row.errors.values().sum();
            let from_s = row.index * self.seconds_per_row;
            Point {
                from_s,
                to_s: from_s + self.seconds_per_row,
                began: row.began,
                ended: row.outcomes.iter().sum::<u64>() + errors,
                errors,
                by_outcome: Outcome::counted(&row.outcomes),
                by_error: row.errors.iter().map(|(kind, count)| (*kind, *count)).collect(),
                p50_us,
                p99_us,
                corrected_p50_us,
                corrected_p99_us,
                sale: row.sale,
            }
        })
    }
}

impl Row {
    fn merge(&mut self, later: Self) {
        // The fields are destructured by name, so that a forgotten new field does not compile.
        let Self { index: _, began, errors, outcomes, latency, corrected, sale } = later;
        self.began += began;
        for (kind, count) in errors {
            *self.errors.entry(kind).or_default() += count;
        }
        for (sum, part) in self.outcomes.iter_mut().zip(outcomes) {
            *sum += part;
        }
        self.latency.add(&latency);
        self.corrected.add(&corrected);
        let queued = self.sale.queued.max(sale.queued);
        self.sale = SaleNow { queued, ..sale };
    }
}

impl Packed {
    fn new(histogram: &Histogram<u64>) -> Self {
        let mut bytes = Vec::new();
        if !histogram.is_empty()
            && let Err(error) = V2DeflateSerializer::new().serialize(histogram, &mut bytes)
        {
            unreachable!("a histogram fits into memory: {error}");
        }
        Self(bytes)
    }

    fn unpack(&self) -> Histogram<u64> {
        if self.0.is_empty() {
            return histogram();
        }
        match Deserializer::new().deserialize(&mut &*self.0) {
            Ok(histogram) => histogram,
            Err(error) => unreachable!("it was packed here: {error}"),
        }
    }

    fn add(&mut self, other: &Self) {
        let mut both = self.unpack();
        if let Err(error) = both.add(other.unpack()) {
            unreachable!("all histograms have the same bounds: {error}");
        }
        *self = Self::new(&both);
    }

    /// The median and the 99th percentile; 0 if there is nothing.
    fn quantiles(&self) -> [u64; 2] {
        let histogram = self.unpack();
        [0.5, 0.99].map(|quantile| match histogram.is_empty() {
            true => 0,
            false => histogram.value_at_quantile(quantile).min(histogram.max()),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::stats::{Click, Sample};

    fn second_with(latency: Duration) -> Recorder {
        let mut recorder = Recorder::default();
        recorder.counts.began = 1;
        recorder.record(&Sample {
            thread: 0,
            click: Click::First,
            intended: None,
            began: Duration::ZERO,
            connected: None,
            sent: Some(Duration::ZERO),
            first_byte: None,
            ended: latency,
            bytes_sent: 1,
            bytes_received: 1,
            status: 202,
            result: Ok(Outcome::Accepted),
        });
        recorder
    }

    #[test]
    fn long_run_stays_within_the_row_limit_and_loses_nothing() {
        let mut series = Series::default();
        let seconds = 5 * ROWS_MAX as u64;
        for second in 0..seconds {
            let recorder = second_with(Duration::from_micros(1 + second));
            series.push(second, &recorder, SaleNow { stock_left: Some(-1), queued: Some(second) });
        }
        let points: Vec<_> = series.points().collect();
        assert!(points.len() <= ROWS_MAX, "{}", points.len());
        assert_eq!(points.iter().map(|point| point.ended).sum::<u64>(), seconds);
        assert_eq!(points.iter().map(|point| point.began).sum::<u64>(), seconds);
        assert!(points.windows(2).all(|pair| pair[0].to_s == pair[1].from_s));
        let first = &points[0];
        assert_eq!((first.from_s, first.to_s, first.p50_us, first.p99_us), (0, 8, 4, 8));
        assert_eq!(first.by_outcome, [(Outcome::Accepted, 8)]);
        assert_eq!(
            points.last().unwrap().sale,
            SaleNow { stock_left: Some(-1), queued: Some(seconds - 1) }
        );
    }

    #[test]
    fn row_of_several_seconds_keeps_the_longest_queue_and_the_last_stock() {
        let mut series = Series::default();
        for second in 0..=ROWS_MAX as u64 {
            let (stock_left, queued) = (-(second as i64), if second % 2 == 0 { 7 } else { 3 });
            series.push(
                second,
                &Recorder::default(),
                SaleNow { stock_left: Some(stock_left), queued: Some(queued) },
            );
        }
        let first = series.points().next().unwrap();
        assert_eq!(first.sale, SaleNow { stock_left: Some(-1), queued: Some(7) });
    }

    #[test]
    fn second_without_an_ended_request_has_a_row() {
        let mut series = Series::default();
        series.push(0, &second_with(Duration::from_millis(1)), SaleNow::default());
        series.push(1, &Recorder::default(), SaleNow::default());
        let points: Vec<_> = series.points().collect();
        assert_eq!((points.len(), points[1].ended, points[1].p99_us), (2, 0, 0));
    }
}
