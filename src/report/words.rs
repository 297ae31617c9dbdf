//! Figures as reports write them.

use crate::archive::Measure;
use crate::escape::printable;
use crate::units::ByteSize;

/// A time in the unit that suits it: `870 µs`, `12.3 ms`, `21.0 s`. The space does not break.
pub(super) fn time(us: f64) -> String {
    match us {
        us if us < 1e3 => format!("{us:.0}\u{a0}µs"),
        us if us < 1e4 => format!("{:.2}\u{a0}ms", us / 1e3),
        us if us < 1e6 => format!("{:.1}\u{a0}ms", us / 1e3),
        us if us < 1e8 => format!("{:.1}\u{a0}s", us / 1e6),
        us => format!("{:.0}\u{a0}s", us / 1e6),
    }
}

/// How often something happened: `once`, `12 times`.
pub(super) fn how_often(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

/// A power of ten of microseconds, as a label of an axis: `100 ms`.
pub(super) fn round_time(us: f64) -> String {
    match us {
        us if us < 1e3 => format!("{us:.0} µs"),
        us if us < 1e6 => format!("{:.0} ms", us / 1e3),
        us => format!("{:.0} s", us / 1e6),
    }
}

/// A count with its thousands apart: `3 500`. The space does not break.
pub(super) fn count(number: impl Into<i128>) -> String {
    let number: i128 = number.into();
    let digits = number.unsigned_abs().to_string();
    let mut text = if number < 0 { "−".to_owned() } else { String::new() };
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) && digits.len() > 4 {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// What a report says of a run with `--insecure`.
pub(super) const INSECURE: &str = "the server's certificate was not checked (--insecure)";

/// A number of things in one word of digits: `1 request`, `3500 requests`.
pub(super) fn number_of(number: u64, thing: &str) -> String {
    format!("{number} {thing}{}", if number == 1 { "" } else { "s" })
}

/// A number of things, its digits in groups: `1 request`, `3 500 requests`.
pub(super) fn how_many(number: u64, thing: &str) -> String {
    format!("{} {thing}{}", count(number), if number == 1 { "" } else { "s" })
}

/// A rate, to a tenth below a thousand.
pub(super) fn rate(per_second: f64) -> String {
    match per_second {
        below if below < 1e3 => format!("{below:.1}/s"),
        above => format!("{}/s", count(above.round() as i128)),
    }
}

/// A share from 0 to 1, in percent.
pub(super) fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

/// A CPU share in percent; a dash where it was not measured.
pub(super) fn cpu(percent: Option<f64>) -> String {
    percent.map_or_else(missing, |percent| format!("{percent:.0} %"))
}

/// An amount of memory; a dash where it was not measured.
pub(super) fn memory(bytes: Option<u64>) -> String {
    bytes.filter(|bytes| *bytes > 0).map_or_else(missing, |bytes| ByteSize(bytes).to_string())
}

/// What stands for a figure that was not measured.
pub(super) fn missing() -> String {
    "–".to_owned()
}

/// A figure of a comparison.
pub(super) fn measure(measure: Measure, value: Option<f64>) -> String {
    let Some(value) = value else { return missing() };
    match measure {
        Measure::Count => count(value as i128),
        Measure::PerSecond => rate(value),
        Measure::Percent => format!("{value:.2} %"),
        Measure::Micros => time(value),
        Measure::Bytes => ByteSize(value as u64).to_string(),
    }
}

/// Text from outside, with its control characters escaped, and cut.
pub(super) fn outside(text: &str) -> String {
    printable(text).into_owned()
}

/// Milliseconds, to a microsecond below ten.
pub(super) fn millis(us: f64) -> String {
    let ms = us / 1000.0;
    if ms < 10.0 { format!("{ms:.3}") } else { format!("{ms:.0}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_the_unit_that_suits_them() {
        let times = [0.0, 870.0, 1_234.0, 12_345.0, 21_032_000.0, 300e6];
        let expected = ["0 µs", "870 µs", "1.23 ms", "12.3 ms", "21.0 s", "300 s"];
        assert_eq!(times.map(time).map(|text| text.replace('\u{a0}', " ")), expected);
    }

    #[test]
    fn rates_and_numbers_are_no_finer_than_they_need_be() {
        assert_eq!([0.0, 175.46, 999.94].map(rate), ["0.0/s", "175.5/s", "999.9/s"]);
        assert_eq!(rate(10_927.2), "10\u{202f}927/s");
        assert_eq!(how_many(1, "request"), "1 request");
        assert_eq!(how_many(0, "request"), "0 requests");
    }

    #[test]
    fn long_counts_have_their_thousands_apart() {
        let plain = |number: i128| count(number).replace('\u{202f}', "_");
        assert_eq!(
            [0, 3_500, -12, 10_000, 1_234_567].map(plain),
            ["0", "3500", "−12", "10_000", "1_234_567"]
        );
    }
}
