//! Thresholds, faults and the quantities of flags: short texts that people write.

use seckill::judge::{Expression, Figures, Threshold};
use seckill::profile::{Fault, Stage, Think};
use seckill::settings::Buyers;
use seckill::units::{Count, Moment, Rate, Share, Span};

/// Words of outcomes that a tested system may have.
const OUTCOMES: &[&str] = &["queued", "won", "lost", "rejected", "sold_out", "queue_full"];

/// Reads a value; if it can be written, what is written reads as the same.
macro_rules! reads {
    ($text:expr, $($kind:ty),*) => { $(
        if let Ok(value) = $text.parse::<$kind>() {
            let written = value.to_string();
            assert_eq!(written.parse::<$kind>().as_ref(), Ok(&value), "{written}");
        }
    )* };
}

fn threshold(text: &str) {
    let baseline = Figures { total: 10, per_second: 7.5, ..Figures::default() };
    match Expression::parse(text, OUTCOMES) {
        Ok(expression) => {
            for baseline in [None, Some(&baseline)] {
                match Threshold::new(expression.clone(), baseline) {
                    Ok(threshold) => {
                        let result = threshold.evaluate(&Figures::default());
                        assert!(result.to_string().len() < 1_000);
                    }
                    Err(error) => assert!(error.to_string().len() < 2_000),
                }
            }
        }
        Err(error) => assert!(error.to_string().len() < 2_000, "{error}"),
    }
}

/// Each line is read as each of them.
pub(crate) fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for line in text.lines() {
        threshold(line);
        reads!(line, Fault, Span, Count, Rate, Share, Buyers);
        let _ = line.parse::<Moment>();
        let _ = (line.parse::<Stage>(), line.parse::<Think>());
    }
}
