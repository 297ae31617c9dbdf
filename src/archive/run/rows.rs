//! The series of a run in fewer rows, for charts of a bounded size.

use super::figures::{CpuRow, Run, SeriesRow};
use super::tally::Tally;

/// Requests below which the percentiles of a row describe single requests: stragglers in the last
/// second of a run, for instance.
const PERCENTILE_REQUESTS_MIN: u64 = 20;

/// Length of the last row, in seconds, below which its rates describe single requests.
const LAST_ROW_S_MIN: f64 = 0.25;

impl Run {
    /// When the last request ended, in seconds since the beginning of the run; the end of the
    /// series where the recorded times do not tell.
    pub fn ended_s(&self) -> f64 {
        ended_s(self.series_of_load(), self.recorded_end_s())
    }

    /// The series without rows that only tell what was after the last request.
    pub fn series_of_load(&self) -> &[SeriesRow] {
        until_end(&self.series, self.recorded_end_s())
    }

    fn recorded_end_s(&self) -> Option<f64> {
        self.requests.ended_us.map(|us| us as f64 / 1e6)
    }

    /// The series in at most `max` rows: adjacent rows are merged, all of the same number. Counts
    /// are added. Of percentiles, CPU shares and queued attempts, which cannot be added, the
    /// highest is kept; percentiles of rows with few requests count only if all rows have few. The
    /// last stock is kept. A last row that is cut short by the end of the run is merged with the
    /// one before it.
    pub fn series_within(&self, max: usize) -> Vec<SeriesRow> {
        within(self.series_of_load(), max, self.ended_s())
    }
}

/// See [`Run::series_within`].
fn within(series: &[SeriesRow], max: usize, ended_s: f64) -> Vec<SeriesRow> {
    let together = series.len().div_ceil(max.max(1)).max(1);
    let mut rows: Vec<_> = series.chunks(together).filter_map(SeriesRow::of_several).collect();
    let is_cut = |row: &mut SeriesRow| ended_s - (row.from_s as f64) < LAST_ROW_S_MIN;
    if rows.len() > 1
        && let Some(last) = rows.pop_if(is_cut)
    {
        let both = rows.pop().and_then(|before| SeriesRow::of_several(&[before, last]));
        rows.extend(both);
    }
    rows
}

/// See [`Run::series_of_load`].
fn until_end(rows: &[SeriesRow], recorded_s: Option<f64>) -> &[SeriesRow] {
    let Some(ended_s) = recorded_s else { return rows };
    let is_later =
        |row: &SeriesRow| row.sent == 0 && row.ended == 0 && row.from_s as f64 >= ended_s;
    let later = rows.iter().rev().take_while(|row| is_later(row)).count();
    &rows[..rows.len() - later]
}

/// See [`Run::ended_s`].
pub(super) fn ended_s(rows: &[SeriesRow], recorded_s: Option<f64>) -> f64 {
    let Some(last) = rows.last() else { return recorded_s.unwrap_or_default() };
    let (from_s, to_s) = (last.from_s as f64, last.to_s as f64);
    recorded_s.filter(|ended_s| *ended_s > from_s && *ended_s < to_s).unwrap_or(to_s)
}

impl SeriesRow {
    /// Whether so few requests ended in the row that its percentiles describe single requests.
    pub fn is_sparse(&self) -> bool {
        self.ended < PERCENTILE_REQUESTS_MIN
    }

    /// One row of several. Percentiles of those with few requests count only if all have few.
    fn of_several(rows: &[Self]) -> Option<Self> {
        let is_any_dense = rows.iter().any(|row| !row.is_sparse());
        let counted = rows.iter().cloned().map(|row| match is_any_dense && row.is_sparse() {
            true => Self { p50_us: 0, p99_us: 0, corrected_p50_us: 0, corrected_p99_us: 0, ..row },
            false => row,
        });
        counted.reduce(Self::merged)
    }

    fn merged(self, later: Self) -> Self {
        let highest = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => Some(a.max(b)),
            (a, b) => a.or(b),
        };
        let cpu = (self.cpu_percent, later.cpu_percent);
        Self {
            from_s: self.from_s,
            to_s: later.to_s,
            sent: self.sent.saturating_add(later.sent),
            ended: self.ended.saturating_add(later.ended),
            errors: self.errors.saturating_add(later.errors),
            by_outcome: self.by_outcome.plus(later.by_outcome),
            by_error: self.by_error.plus(later.by_error),
            p50_us: self.p50_us.max(later.p50_us),
            p99_us: self.p99_us.max(later.p99_us),
            corrected_p50_us: self.corrected_p50_us.max(later.corrected_p50_us),
            corrected_p99_us: self.corrected_p99_us.max(later.corrected_p99_us),
            stock_left: later.stock_left,
            queued: self.queued.max(later.queued),
            faults: joined(self.faults, later.faults),
            cpu_percent: CpuRow {
                generator: highest(cpu.0.generator, cpu.1.generator),
                server: highest(cpu.0.server, cpu.1.server),
                machine: highest(cpu.0.machine, cpu.1.machine),
            },
        }
    }
}

/// All of both lists, each once.
fn joined(mut one: Vec<usize>, other: Vec<usize>) -> Vec<usize> {
    one.extend(other);
    one.sort_unstable();
    one.dedup();
    one
}

impl Tally {
    /// The count of a word.
    pub fn get(&self, word: &str) -> u64 {
        self.0.iter().find(|(known, _)| known == word).map_or(0, |(_, count)| *count)
    }

    /// The sums of two tallies.
    fn plus(mut self, other: Self) -> Self {
        for (word, count) in other.0 {
            match self.0.iter_mut().find(|(known, _)| *known == word) {
                Some((_, sum)) => *sum = sum.saturating_add(count),
                None => self.0.push((word, count)),
            }
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(second: u64) -> SeriesRow {
        let counts = |word: &str| Tally(vec![(word.to_owned(), second), ("b".to_owned(), 1)]);
        SeriesRow {
            from_s: second,
            to_s: second + 1,
            sent: 1,
            ended: 2,
            errors: 3,
            by_outcome: counts("a"),
            by_error: counts("timeout"),
            p50_us: second,
            p99_us: 100 - second,
            corrected_p50_us: 7,
            corrected_p99_us: 8 + second,
            stock_left: Some(-(second as i64)),
            queued: Some(second),
            faults: Vec::new(),
            cpu_percent: CpuRow { generator: Some(second as f64), server: None, machine: None },
        }
    }

    #[test]
    fn merged_rows_lose_no_count_and_keep_the_worst_percentile() {
        let merged = (1..4).map(row).reduce(SeriesRow::merged).unwrap();
        assert_eq!((merged.from_s, merged.to_s), (1, 4));
        assert_eq!((merged.sent, merged.ended, merged.errors), (3, 6, 9));
        let words = ["a", "b", "c"].map(|word| merged.by_outcome.get(word));
        assert_eq!((words, merged.by_error.get("timeout")), ([6, 3, 0], 6));
        assert_eq!((merged.p50_us, merged.p99_us, merged.corrected_p99_us), (3, 99, 11));
        assert_eq!((merged.stock_left, merged.queued), (Some(-3), Some(3)));
        assert_eq!((merged.cpu_percent.generator, merged.cpu_percent.server), (Some(3.0), None));
    }

    #[test]
    fn merged_rows_keep_the_highest_queue_and_the_last_stock() {
        let merged = [row(1), row(9), row(2)].into_iter().reduce(SeriesRow::merged).unwrap();
        assert_eq!((merged.queued, merged.stock_left), (Some(9), Some(-2)));
    }

    #[test]
    fn percentiles_of_few_requests_do_not_describe_merged_rows() {
        let of = |ended, p99_us| SeriesRow { ended, p99_us, ..row(0) };
        let p99_us = |rows: &[SeriesRow]| SeriesRow::of_several(rows).unwrap().p99_us;
        assert_eq!(p99_us(&[of(1_000, 5), of(8, 900)]), 5);
        assert_eq!(p99_us(&[of(8, 900), of(8, 1), of(8, 2), of(1_000, 5)]), 5);
        assert_eq!(p99_us(&[of(20, 5), of(20, 900)]), 900);
        assert_eq!(p99_us(&[of(8, 5), of(8, 900)]), 900, "nothing better is known");
    }

    #[test]
    fn last_row_is_merged_only_if_the_run_ends_soon_after_it_begins() {
        let rows: Vec<_> = (0..4).map(row).collect();
        let ends = |max, ended_s| {
            let rows = within(&rows, max, ended_s);
            assert_eq!(rows.iter().map(|row| row.ended).sum::<u64>(), 8, "nothing is lost");
            rows.iter().map(|row| row.to_s).collect::<Vec<_>>()
        };
        assert_eq!(ends(9, 3.3), [1, 2, 3, 4]);
        assert_eq!(ends(9, 3.2), [1, 2, 4]);
        assert_eq!(ends(2, 4.0), [2, 4]);
        assert_eq!(ends(3, 3.01), [2, 4]);
        assert_eq!(ends(1, 3.01), [4]);
    }

    #[test]
    fn rows_without_requests_after_the_end_are_no_part_of_the_load() {
        let quiet = |second| SeriesRow { sent: 0, ended: 0, ..row(second) };
        let rows = [row(0), quiet(1), row(2), quiet(3), quiet(4)];
        let last = |recorded_s| until_end(&rows, recorded_s).last().unwrap().to_s;
        assert_eq!([Some(2.9999), Some(3.0), Some(3.5), None].map(last), [3, 3, 4, 5]);
        let load = until_end(&rows, Some(2.9999));
        assert_eq!(ended_s(load, Some(2.9999)), 2.9999);
    }

    #[test]
    fn end_of_the_run_lies_in_its_last_row() {
        let rows = |seconds| (0..seconds).map(row).collect::<Vec<_>>();
        let ended = |seconds, recorded_s| ended_s(&rows(seconds), recorded_s);
        assert_eq!(ended(4, Some(3.25)), 3.25);
        assert_eq!(ended(1, Some(0.084)), 0.084);
        assert_eq!(ended(4, Some(2.5)), 4.0, "the row says that it lasted longer");
        assert_eq!(ended(4, Some(9.0)), 4.0);
        assert_eq!(ended(4, None), 4.0, "an older result");
        assert_eq!(ended(0, Some(2.5)), 2.5);
    }
}
