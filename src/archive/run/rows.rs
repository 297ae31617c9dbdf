//! The series of a run in fewer rows, for charts of a bounded size.

use super::figures::{CpuRow, Run, SeriesRow};
use super::tally::Tally;

impl Run {
    /// The series in at most `max` rows: adjacent rows are merged, all of the same number. Counts
    /// are added. Of percentiles and CPU shares, which cannot be added, the highest is kept. The
    /// last state of the sale is kept.
    pub fn series_within(&self, max: usize) -> Vec<SeriesRow> {
        let together = self.series.len().div_ceil(max.max(1)).max(1);
        let merge = |rows: &[SeriesRow]| rows.iter().cloned().reduce(SeriesRow::merged);
        self.series.chunks(together).filter_map(merge).collect()
    }
}

impl SeriesRow {
    /// The length of the row, in seconds; at least 1.
    pub fn seconds(&self) -> f64 {
        self.to_s.saturating_sub(self.from_s).max(1) as f64
    }

    /// A count of the row for each of its seconds.
    pub fn per_second(&self, count: u64) -> f64 {
        count as f64 / self.seconds()
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
            queued: later.queued,
            cpu_percent: CpuRow {
                generator: highest(cpu.0.generator, cpu.1.generator),
                server: highest(cpu.0.server, cpu.1.server),
                machine: highest(cpu.0.machine, cpu.1.machine),
            },
        }
    }
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
            stock_left: -(second as i64),
            queued: second,
            cpu_percent: CpuRow { generator: Some(second as f64), server: None, machine: None },
        }
    }

    #[test]
    fn merged_rows_lose_no_count_and_keep_the_worst_percentile() {
        let merged = (1..4).map(row).reduce(SeriesRow::merged).unwrap();
        assert_eq!((merged.from_s, merged.to_s, merged.seconds()), (1, 4, 3.0));
        assert_eq!((merged.sent, merged.ended, merged.errors), (3, 6, 9));
        let words = ["a", "b", "c"].map(|word| merged.by_outcome.get(word));
        assert_eq!((words, merged.by_error.get("timeout")), ([6, 3, 0], 6));
        assert_eq!((merged.p50_us, merged.p99_us, merged.corrected_p99_us), (3, 99, 11));
        assert_eq!((merged.stock_left, merged.queued), (-3, 3));
        assert_eq!((merged.cpu_percent.generator, merged.cpu_percent.server), (Some(3.0), None));
        assert_eq!(merged.per_second(merged.sent), 1.0);
    }
}
