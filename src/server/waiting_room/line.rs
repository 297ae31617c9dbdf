//! The line before one sale: which numbers tickets get, and how many of them are admitted.
//!
//! Tickets stand at places. Places are admitted in their order, at a rate: a place is admitted as
//! soon as it is below the mark. With a fixed rate the mark follows from the time alone, so that
//! all processes with the same clock have the same one.

use std::time::Duration;

/// Longest time for which admission is made up for at once, if nobody has asked meanwhile.
const CATCH_UP_MAX: Duration = Duration::from_secs(1);

/// Tickets per second that are admitted at least, where the rate is measured and there is no
/// overload.
pub(super) const MEASURED_MIN: u64 = 500;

/// How fast tickets are admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// So many per second, from the opening on.
    Fixed(u64),
    /// So many per second at this moment: the server has measured what it can take.
    Measured(u64),
}

impl Pace {
    fn per_second(self) -> u64 {
        match self {
            Self::Fixed(rate) | Self::Measured(rate) => rate,
        }
    }
}

/// The line of one sale.
#[derive(Debug)]
pub(super) struct Line {
    /// When the sale opens, in microseconds since the Unix epoch; 0 if it was always open.
    opens_us: u64,
    /// Tickets that were taken before the opening.
    early: u64,
    /// The next number.
    next: u64,
    /// Places that are admitted, at a measured pace, and the moment up to which they were counted.
    measured: (u64, u64),
}

/// A number for a ticket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) number: u64,
    pub(super) is_early: bool,
}

impl Line {
    pub(super) fn new(opens_us: Option<u64>, now_us: u64) -> Self {
        let opens_us = opens_us.unwrap_or(0);
        Self { opens_us, early: 0, next: 0, measured: (0, now_us.max(opens_us)) }
    }

    pub(super) fn opens_us(&self) -> u64 {
        self.opens_us
    }

    pub(super) fn is_open(&self, now_us: u64) -> bool {
        now_us >= self.opens_us
    }

    /// The number of a ticket that is taken now. After the opening it stands at the end of the
    /// line, and at the mark if nobody waits: admission that nobody has used is not made up for.
    pub(super) fn take(&mut self, pace: Pace, now_us: u64) -> Number {
        let is_early = !self.is_open(now_us);
        let number = self.next.max(self.mark(pace, now_us));
        self.saw(Number { number, is_early });
        Number { number, is_early }
    }

    /// How many tickets have been taken before the opening, and in all.
    pub(super) fn taken(&self) -> (u64, u64) {
        (self.early, self.next)
    }

    /// Notes that so many have been taken, maybe from a process that does not live any more.
    pub(super) fn saw_taken(&mut self, early: u64, taken: u64) {
        self.early = self.early.max(early);
        self.next = self.next.max(taken);
    }

    /// Notes that so many places were admitted, maybe by a process that does not live any more. At
    /// a fixed pace it does not matter.
    pub(super) fn saw_mark(&mut self, mark: u64) {
        let (measured, _) = &mut self.measured;
        *measured = mark.max(*measured);
    }

    /// Notes a number that was given to a ticket, maybe by a process that does not live any more,
    /// or by another one: the next ones come after it.
    pub(super) fn saw(&mut self, Number { number, is_early }: Number) {
        let after = number.saturating_add(1);
        self.next = self.next.max(after);
        if is_early {
            self.early = self.early.max(after);
        }
    }

    /// The place of a ticket that has drawn a number out of all of `u64`, if places are drawn.
    /// Early tickets that draw share the first places; it can happen that two have the same.
    pub(super) fn place(&self, ticket: Number, drawn: Option<u64>) -> u64 {
        match drawn.filter(|_| ticket.is_early) {
            Some(drawn) => ((u128::from(drawn) * u128::from(self.early)) >> 64) as u64,
            None => ticket.number,
        }
    }

    /// How many places are admitted.
    pub(super) fn mark(&mut self, pace: Pace, now_us: u64) -> u64 {
        let Some(open_us) = now_us.checked_sub(self.opens_us) else { return 0 };
        match pace {
            Pace::Fixed(rate) => {
                let admitted = u128::from(open_us) * u128::from(rate) / 1_000_000;
                u64::try_from(admitted).unwrap_or(u64::MAX).saturating_add(1)
            }
            Pace::Measured(rate) => {
                let (mark, counted_us) = self.measured;
                let elapsed_us = now_us.saturating_sub(counted_us);
                let due_us = elapsed_us.min(CATCH_UP_MAX.as_micros() as u64);
                let more = due_us.saturating_mul(rate) / 1_000_000;
                // What is too little for one place counts the next time.
                if more > 0 || rate == 0 {
                    self.measured = (mark.saturating_add(more), counted_us + elapsed_us);
                }
                self.measured.0
            }
        }
    }

    /// How long it takes until a place is admitted, from now on.
    pub(super) fn eta(&mut self, place: u64, pace: Pace, now_us: u64) -> Option<Duration> {
        let until_open = Duration::from_micros(self.opens_us.saturating_sub(now_us));
        let before = place.saturating_add(1).saturating_sub(self.mark(pace, now_us));
        let ms = before.saturating_mul(1_000).checked_div(pace.per_second())?;
        Some(until_open + Duration::from_millis(ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND_US: u64 = 1_000_000;
    const OPENS_US: u64 = 100 * SECOND_US;
    const PACE: Pace = Pace::Fixed(10);

    fn line() -> Line {
        Line::new(Some(OPENS_US), 0)
    }

    fn early(number: u64) -> Number {
        Number { number, is_early: true }
    }

    fn late(number: u64) -> Number {
        Number { number, is_early: false }
    }

    #[test]
    fn places_are_admitted_at_the_rate_from_the_opening_on() {
        let mut line = line();
        let mut mark = |seconds| line.mark(PACE, OPENS_US + seconds * SECOND_US);
        assert_eq!([0, 1, 60].map(&mut mark), [1, 11, 601]);
        assert_eq!(line.mark(PACE, OPENS_US - 1), 0);
        assert_eq!(line.mark(Pace::Fixed(u64::MAX), u64::MAX), u64::MAX);
    }

    #[test]
    fn late_tickets_stand_behind_the_early_ones() {
        let mut line = line();
        let taken = [1, 2, 3].map(|_| line.take(PACE, OPENS_US - 1));
        assert_eq!(taken, [early(0), early(1), early(2)]);
        assert_eq!(line.take(PACE, OPENS_US), late(3));
        assert_eq!(line.eta(3, PACE, OPENS_US), Some(Duration::from_millis(300)));
        assert_eq!(line.eta(0, PACE, OPENS_US - SECOND_US), Some(Duration::from_millis(1_100)));
    }

    #[test]
    fn admission_that_nobody_used_is_not_made_up_for() {
        let mut line = line();
        let now_us = OPENS_US + 50 * SECOND_US;
        let numbers = [1, 2, 3].map(|_| line.take(PACE, now_us).number);
        assert_eq!(numbers, [501, 502, 503], "500 places have passed unused");
        assert_eq!(line.mark(PACE, now_us), 501);
        assert_eq!(line.mark(PACE, now_us + SECOND_US / 10), 502);
    }

    #[test]
    fn drawn_places_are_those_of_the_early_tickets() {
        let mut line = line();
        (0..1_000).for_each(|_| {
            line.take(PACE, 0);
        });
        let place = |drawn| line.place(early(5), Some(drawn));
        assert_eq!([0, u64::MAX / 2, u64::MAX].map(place), [0, 499, 999]);
        assert_eq!(line.place(early(5), None), 5);
        assert_eq!(line.place(late(1_000), Some(0)), 1_000, "who comes late draws nothing");
    }

    #[test]
    fn numbers_that_others_gave_are_not_given_again() {
        let mut line = line();
        line.saw(early(41));
        assert_eq!(line.take(PACE, 0), early(42));
        assert_eq!(line.place(early(0), Some(u64::MAX)), 42, "and they are counted");
        line.saw(late(u64::MAX));
        assert_eq!(line.take(PACE, OPENS_US).number, u64::MAX);
    }

    #[test]
    fn mark_of_an_earlier_process_is_not_admitted_again() {
        let (mut line, pace) = (line(), Pace::Measured(100));
        line.saw_mark(700);
        line.saw_mark(600);
        assert_eq!(line.mark(pace, OPENS_US - 1), 0);
        assert_eq!(line.mark(pace, OPENS_US + SECOND_US / 10), 710);
        assert_eq!(line.take(pace, OPENS_US + SECOND_US / 10), late(710));
        assert_eq!(line.taken(), (0, 711));
        line.saw_taken(5, 700);
        assert_eq!(line.taken(), (5, 711));
    }

    #[test]
    fn measured_pace_is_counted_from_request_to_request() {
        let mut line = line();
        let at = |ms: u64| OPENS_US + 1_000 * ms;
        let marks = [(0, 100), (100, 100), (105, 100), (110, 100), (1_110, 0), (9_000, 50)]
            .map(|(ms, rate)| line.mark(Pace::Measured(rate), at(ms)));
        // Nothing while the rate is 0, and at most a second at once.
        assert_eq!(marks, [0, 10, 10, 11, 11, 61]);
        assert_eq!(line.eta(100, Pace::Measured(0), at(9_000)), None);
        assert_eq!(line.eta(100, Pace::Measured(40), at(9_000)), Some(Duration::from_secs(1)));
    }
}
