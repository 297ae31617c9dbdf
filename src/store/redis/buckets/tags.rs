//! The keys of buckets, in slots that are spread evenly over a cluster.

use super::super::keys::Keys;
use super::super::slot::{SLOTS, slot_of};

/// The hash tag of the first bucket, which is that of a store with one.
const FIRST: &str = "seckill";

/// The keys of each of this many buckets. If the slots are divided into as many ranges of equal
/// length, each bucket has its slot in another one, so that nodes which have as many slots have as
/// many buckets.
pub(in super::super) fn keys_of(buckets: usize) -> Vec<Keys> {
    if buckets <= 1 {
        return vec![Keys::of_one()];
    }
    let first = range_of(FIRST, buckets);
    let tag = |number: usize| match number {
        0 => FIRST.to_owned(),
        _ => tag_in((first + number) % buckets, buckets),
    };
    (0..buckets).map(|number| Keys::of_bucket(&tag(number), number, buckets)).collect()
}

/// Which of the ranges has the slot of this tag.
fn range_of(tag: &str, buckets: usize) -> usize {
    usize::from(slot_of(tag)) * buckets / usize::from(SLOTS)
}

/// The first numbered tag with a slot in this range.
fn tag_in(range: usize, buckets: usize) -> String {
    let mut tags = (1..).map(|number: u32| format!("{FIRST}:{number}"));
    // The numbers do not end before one is found: each range has slots.
    tags.find(|tag| range_of(tag, buckets) == range).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::super::super::keys::ROUTE;
    use super::*;

    #[test]
    fn each_range_of_slots_has_one_bucket() {
        assert_eq!(keys_of(1)[0].route(), ROUTE);
        for buckets in 2..=64 {
            let keys = keys_of(buckets);
            let slots = keys.iter().map(|keys| usize::from(slot_of(keys.route())));
            let ranges: HashSet<_> = slots.map(|slot| slot * buckets / 16_384).collect();
            assert_eq!((keys.len(), ranges.len()), (buckets, buckets));
            assert_eq!(slot_of(keys[0].route()), slot_of(ROUTE), "of the first bucket");
            assert!(keys.iter().all(|keys| slot_of(&keys.key("items")) == slot_of(keys.route())));
        }
    }

    #[test]
    fn keys_stay_as_they_are() {
        let routes: Vec<_> = keys_of(3).iter().map(|keys| keys.route().to_owned()).collect();
        assert_eq!(
            routes,
            ["{seckill}:route:3:0", "{seckill:1}:route:3:1", "{seckill:2}:route:3:2"]
        );
    }
}
