//! Payments for the orders of a sale that holds them: how many buyers pay, and when.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::random::{self, Draw};
use crate::units::{Share, Span};

use super::check::{FlagError, invalid, time};
use super::flags::BenchFlags;
use super::pay_after::PayAfter;

/// The buyers who pay for their orders.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pay {
    /// The share of the orders that are paid for; nobody pays for the others.
    pub share: Share,
    /// The pause between the decision and the payment.
    pub after: PayAfter,
}

impl Pay {
    /// The pause before the payment for the order of attempt `number` of a run with this seed;
    /// `None` if nobody pays for it.
    pub fn pause(&self, seed: u64, number: u64) -> Option<Duration> {
        let pays = random::uniform(seed, Draw::Pays, number) < self.share.fraction();
        let PayAfter { from, to } = self.after;
        let drawn = || random::uniform(seed, Draw::PayAfter, number);
        pays.then(|| from + (to - from).mul_f64(drawn()))
    }

    /// Checks the flags.
    ///
    /// # Errors
    /// The first invalid flag.
    pub(super) fn new(flags: &BenchFlags) -> Result<Option<Self>, FlagError> {
        let Some(share) = flags.pay else {
            return match flags.pay_after {
                Some(_) => Err(invalid("pay-after", "nobody pays: add --pay, such as --pay 80%")),
                None => Ok(None),
            };
        };
        if flags.follow == Some(false) {
            let problem = "who pays waits for the decision: leave out --follow=false";
            return Err(invalid("pay", problem));
        }
        let after = flags.pay_after.unwrap_or_default();
        time("pay-after", Some(Span(after.to)))?;
        Ok(Some(Self { share, after }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn share_pays_within_the_range() {
        let pay = Pay { share: "80%".parse().unwrap(), after: "1s..3s".parse().unwrap() };
        let pauses: Vec<_> = (0..10_000).filter_map(|number| pay.pause(7, number)).collect();
        assert!((7_800..8_200).contains(&pauses.len()), "{}", pauses.len());
        let (from, to) = (Duration::from_secs(1), Duration::from_secs(3));
        assert!(pauses.iter().all(|pause| (from..=to).contains(pause)));
        let mean = pauses.iter().sum::<Duration>().as_secs_f64() / pauses.len() as f64;
        assert!((mean - 2.0).abs() < 0.05, "{mean}");
        assert_eq!(pay.pause(7, 3), pay.pause(7, 3));
    }

    #[test]
    fn payments_need_a_share_and_the_decision() {
        let flags = |pay: Option<&str>, after: Option<&str>, follow| {
            let flags = BenchFlags {
                pay: pay.map(|text| text.parse().unwrap()),
                pay_after: after.map(|text| text.parse().unwrap()),
                follow,
                ..BenchFlags::default()
            };
            Pay::new(&flags).map_err(|error| error.flag)
        };
        assert_eq!(flags(None, None, None), Ok(None));
        assert_eq!(flags(None, Some("1s"), None), Err("pay-after"));
        assert_eq!(flags(Some("80%"), None, Some(false)), Err("pay"));
        assert_eq!(flags(Some("80%"), Some("1s..169h"), None), Err("pay-after"));
        assert!(flags(Some("80%"), Some("1s..2s"), Some(true)).unwrap().is_some());
    }
}
