//! Which answers are bands of their own in a stack, and in which colour.

use crate::archive::{SeriesRow, Tally};
use crate::report::words::outside;

/// Colours of outcomes whose meaning is known.
const KNOWN: [(&str, &str); 5] =
    [("queued", "c1"), ("won", "c2"), ("lost", "c3"), ("sold_out", "c4"), ("already_bought", "c5")];

/// Colours of other outcomes.
const OTHERS: [&str; 3] = ["c6", "c7", "c8"];

/// Colours of kinds of errors.
const ERRORS: [&str; 6] = ["ce", "c5", "c7", "c3", "c8", "c6"];

/// Longest name of a band, in characters.
const NAME_CHARS_MAX: usize = 40;

/// A band of a stack.
pub(super) struct Band<'a> {
    /// The class of its colour.
    pub(super) class: &'static str,
    pub(super) name: String,
    /// Its height in a row.
    pub(super) count: Box<dyn Fn(&SeriesRow) -> u64 + 'a>,
}

/// The bands of the outcomes, and one of the errors.
pub(super) fn outcome_bands(outcomes: &Tally) -> Vec<Band<'_>> {
    let mut bands = Vec::new();
    for (word, class) in KNOWN.iter().filter(|(word, _)| outcomes.get(word) > 0) {
        bands.push(band(class, (*word).to_owned(), |row| row.by_outcome.get(word)));
    }
    let known = KNOWN.map(|(word, _)| word);
    bands.extend(coloured(outcomes, &known, &OTHERS, |row| &row.by_outcome));
    bands.push(band("ce", "errors".to_owned(), |row| row.errors));
    bands
}

/// The bands of the kinds of errors.
pub(super) fn error_bands(errors: &Tally) -> Vec<Band<'_>> {
    coloured(errors, &[], &ERRORS, |row| &row.by_error)
}

/// Bands of the words that are not excepted, the most frequent ones first. If there are more words
/// than colours, the rarest are summed up in the last colour, so that no colour repeats.
fn coloured<'a>(
    counts: &'a Tally,
    except: &[&'static str],
    classes: &[&'static str],
    of: fn(&SeriesRow) -> &Tally,
) -> Vec<Band<'a>> {
    let words = counts.0.iter().filter(|(word, count)| *count > 0 && !except.contains(&&**word));
    let mut words: Vec<_> = words.collect();
    words.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let own = if words.len() > classes.len() { classes.len() - 1 } else { words.len() };
    let rest = words.split_off(own);
    let drawn = words.iter().map(|(word, _)| &**word);
    let drawn: Vec<&str> = drawn.chain(except.iter().copied()).collect();
    let mut bands: Vec<_> = words
        .into_iter()
        .zip(classes)
        .map(|((word, _), class)| band(class, name(word), move |row| of(row).get(word)))
        .collect();
    if let (false, Some(class)) = (rest.is_empty(), classes.last()) {
        bands.push(band(class, format!("{} others", rest.len()), move |row| {
            let others = of(row).0.iter().filter(|(word, _)| !drawn.contains(&&**word));
            others.fold(0, |sum: u64, (_, count)| sum.saturating_add(*count))
        }));
    }
    bands
}

fn band<'a>(class: &'static str, name: String, count: impl Fn(&SeriesRow) -> u64 + 'a) -> Band<'a> {
    Band { class, name, count: Box::new(count) }
}

/// A word from outside as the name of a band.
fn name(word: &str) -> String {
    let word = outside(word);
    match word.char_indices().nth(NAME_CHARS_MAX) {
        Some((end, _)) => format!("{}…", &word[..end]),
        None => word,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::archive::CpuRow;

    fn row(by_outcome: Tally, errors: u64) -> SeriesRow {
        SeriesRow {
            from_s: 0,
            to_s: 1,
            sent: 0,
            ended: 0,
            errors,
            by_outcome: by_outcome.clone(),
            by_error: by_outcome,
            p50_us: 0,
            p99_us: 0,
            corrected_p50_us: 0,
            corrected_p99_us: 0,
            stock_left: Some(0),
            queued: Some(0),
            faults: Vec::new(),
            cpu_percent: CpuRow::default(),
        }
    }

    fn drawn(bands: &[Band<'_>], row: &SeriesRow) -> Vec<(&'static str, String, u64)> {
        bands.iter().map(|band| (band.class, band.name.clone(), (band.count)(row))).collect()
    }

    #[test]
    fn every_outcome_is_drawn_and_no_colour_repeats() {
        let words = [("d", 1), ("sold_out", 9), ("a", 4), ("b", 3), ("none", 0), ("c", 2)];
        let counts = Tally(words.map(|(word, count)| (word.to_owned(), count)).to_vec());
        let row = row(counts.clone(), 5);
        let expected = [
            ("c4", "sold_out", 9),
            ("c6", "a", 4),
            ("c7", "b", 3),
            ("c8", "2 others", 3),
            ("ce", "errors", 5),
        ];
        let expected = expected.map(|(class, name, count)| (class, name.to_owned(), count));
        assert_eq!(drawn(&outcome_bands(&counts), &row), expected);
    }

    #[test]
    fn kinds_of_errors_have_a_colour_each_up_to_the_last() {
        for kinds in 0..9 {
            let counts = Tally((0..kinds).map(|kind| (format!("e{kind}"), 2)).collect());
            let row = row(counts.clone(), 0);
            let bands = drawn(&error_bands(&counts), &row);
            assert_eq!(bands.iter().map(|(_, _, count)| count).sum::<u64>(), 2 * kinds);
            assert_eq!(bands.len() as u64, kinds.min(6));
            let classes: std::collections::BTreeSet<_> = bands.iter().map(|band| band.0).collect();
            assert_eq!(classes.len(), bands.len(), "{bands:?}");
        }
    }

    #[test]
    fn names_from_outside_are_cut() {
        assert_eq!(name("http_500"), "http_500");
        assert_eq!(name(&"é".repeat(200)).chars().count(), NAME_CHARS_MAX + 1);
    }
}
