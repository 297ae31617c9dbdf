//! How much of a queue an attempt may fill.

/// How much of the queue of this process an attempt may fill: beyond it, it is not enqueued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Room {
    /// Attempts at the same item that may be waiting.
    pub of_item: usize,
    /// Tenths of the queue that are left to others.
    pub tenths_kept: usize,
}

impl Default for Room {
    /// All of the queue.
    fn default() -> Self {
        Self { of_item: usize::MAX, tenths_kept: 0 }
    }
}

impl Room {
    /// What is left of a number when the tenths are kept: at least 1 of it, if it is not 0.
    pub fn of(self, max: usize) -> usize {
        max - max / 10 * self.tenths_kept - max % 10 * self.tenths_kept / 10
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kept_tenths_are_left_to_others() {
        let of = |max, tenths_kept| Room { tenths_kept, ..Room::default() }.of(max);
        assert_eq!([0, 1, 2].map(|kept| of(100, kept)), [100, 90, 80]);
        assert_eq!([0, 1, 2].map(|kept| of(16, kept)), [16, 15, 13]);
        assert_eq!([0, 1, 2].map(|kept| of(1, kept)), [1, 1, 1]);
        assert_eq!(of(usize::MAX, 2), usize::MAX - usize::MAX / 10 * 2 - 1);
        assert_eq!(of(0, 2), 0);
    }
}
