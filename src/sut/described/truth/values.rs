//! The values of fields: reasons, positions and times.

use std::str::FromStr;

use crate::escape::printable;
use crate::history::Loss;
use crate::units::Moment;

/// The reason of a lost attempt. A shop may have any other words, and they are no mistake.
pub(super) fn loss(reason: Option<&str>) -> Loss {
    match reason {
        Some("sold_out") => Loss::SoldOut,
        Some("already_bought") => Loss::AlreadyBought,
        Some("sale_replaced") => Loss::SaleReplaced,
        Some("undeliverable") => Loss::Undeliverable,
        _ => Loss::Unstated,
    }
}

/// A whole number, which is the value of this field.
pub(super) fn number(text: &str, field: &str) -> Result<u64, String> {
    let text = text.trim();
    text.parse().map_err(|_| format!("has the {field} `{}`, which is no number", printable(text)))
}

/// A moment in microseconds since the Unix epoch. Numbers are seconds, milliseconds or
/// microseconds: those of one size are thousands of years away from now in the other units.
pub(super) fn time_us(text: &str) -> Result<u64, String> {
    let invalid = || {
        let shown = printable(text);
        format!("has the time `{shown}`: it must be a number since 1970, or 2030-01-01T10:00:00Z")
    };
    let text = text.trim();
    if let Ok(number) = text.parse::<u64>() {
        let us = number.checked_mul(us_per_unit(number));
        return us.ok_or_else(invalid);
    }
    if let Ok(number) = text.parse::<f64>() {
        // Negative and infinite numbers become the nearest of u64, and are refused here.
        if !(0.0..1e18).contains(&number) {
            return Err(invalid());
        }
        return Ok((number * us_per_unit(number as u64) as f64) as u64);
    }
    // A sign would be a time from now on.
    let moment = Moment::from_str(text).ok().filter(|_| !text.starts_with('+'));
    moment.map(|Moment(us)| us).ok_or_else(invalid)
}

/// Microseconds in the unit of a number of this size.
fn us_per_unit(number: u64) -> u64 {
    match number {
        0..100_000_000_000 => 1_000_000,
        100_000_000_000..100_000_000_000_000 => 1_000,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_each_unit_and_form() {
        for text in [
            "1700000000",
            "1700000000.0",
            "1700000000000",
            "1700000000000000",
            "2023-11-14T22:13:20Z",
            "2023-11-14T23:13:20+01:00",
            " 2023-11-14 22:13:20 ",
        ] {
            assert_eq!(time_us(text), Ok(1_700_000_000_000_000), "{text}");
        }
        for text in ["", "-1", "+5s", "NaN", "inf", "1e300", "soon"] {
            assert!(time_us(text).is_err(), "{text}");
        }
    }
}
