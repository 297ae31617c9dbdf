//! Dead letters: attempts that the tested system accepted, and that no consumer could decide.

use serde::{Deserialize, Serialize};

use crate::history::{Loss, Status};

use super::facts::Facts;
use super::invariant::WITNESSES_MAX;

/// The attempts of a run that lost as `undeliverable`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetters {
    /// How many there are.
    pub count: u64,
    /// Some of them, at most [`WITNESSES_MAX`].
    pub request_ids: Vec<String>,
}

impl DeadLetters {
    /// Those in the ledger.
    pub(super) fn of_ledger(facts: &Facts<'_>) -> Self {
        let new = facts.made().filter(|made| made.earlier.is_none());
        let dead: Vec<_> = new
            .filter_map(|made| made.row)
            .filter(|row| row.status == UNDELIVERABLE)
            .map(|row| row.request_id)
            .collect();
        let request_ids = dead.iter().take(WITNESSES_MAX).map(ToString::to_string).collect();
        Self { count: dead.len() as u64, request_ids }
    }
}

const UNDELIVERABLE: Status = Status::Lost(Loss::Undeliverable);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::judge::rules::tests::scene::Scene;

    #[test]
    fn dead_letters_of_the_run_are_counted_and_listed() {
        let mut scene = Scene::new();
        let of = |scene: &Scene| {
            DeadLetters::of_ledger(&Facts::gather(&scene.history, &scene.ledger, true))
        };
        assert_eq!(of(&scene), DeadLetters::default());
        scene.row(3).status = UNDELIVERABLE;
        let row = scene.row(3).clone();
        let request_ids = vec![row.request_id.to_string()];
        assert_eq!(of(&scene), DeadLetters { count: 1, request_ids });
        scene.history.before.insert(row.request_id, row);
        assert_eq!(of(&scene), DeadLetters::default());
    }
}
