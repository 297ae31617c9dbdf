//! What each fact that a source leaves out takes from the rules about the states of the sale.

use crate::history::Tells;
use crate::judge::invariant::Invariant;
use crate::judge::rules::tests::scene::Scene;

use super::listed::{ALL, NO_POSITIONS};

const NO_STATES: Tells = Tells { states: false, ..ALL };
const NO_STOCK: Tells = Tells { stock: false, ..ALL };
const NO_LIMIT: Tells = Tells { limit: false, ..ALL };

/// Whether this invariant is broken from a source that tells only this.
fn breaks(mut scene: Scene, tells: Tells, invariant: Invariant) -> bool {
    scene.ledger.tells = tells;
    scene.broken().contains(&invariant)
}

#[test]
fn terms_that_the_ledger_does_not_tell_are_not_compared_with_the_states() {
    let stock = || {
        let mut scene = Scene::new();
        scene.ledger.sale.stock = 4;
        scene
    };
    let limit = || {
        let mut scene = Scene::new();
        scene.ledger.sale.per_buyer = 2;
        scene
    };
    let agree = Invariant::ViewsAgree;
    assert!(breaks(stock(), NO_POSITIONS, agree) && breaks(stock(), NO_LIMIT, agree));
    assert!(!breaks(stock(), NO_STOCK, agree) && !breaks(stock(), NO_STATES, agree));
    assert!(breaks(limit(), NO_POSITIONS, agree) && breaks(limit(), NO_STOCK, agree));
    assert!(!breaks(limit(), NO_LIMIT, agree) && !breaks(limit(), NO_STATES, agree));
}

#[test]
fn last_state_is_compared_with_a_ledger_that_tells_everything() {
    for (tells, expected) in [(ALL, true), (NO_POSITIONS, false), (NO_STATES, false)] {
        // One attempt got no answer, and may be queued after the ledger was read.
        let scene = Scene::with_view(3, |sale| sale.queued = 2);
        assert_eq!(breaks(scene, tells, Invariant::ViewsAgree), expected, "{tells:?}");
    }
}

#[test]
fn states_are_compared_with_each_other_whatever_the_ledger_tells() {
    for (tells, expected) in [(ALL, true), (NO_POSITIONS, true), (NO_STATES, false)] {
        let scene = Scene::with_view(3, |sale| (sale.stock_left, sale.orders) = (1, 2));
        assert_eq!(breaks(scene, tells, Invariant::StockReadsBounded), expected, "{tells:?}");
    }
    // An order that had been told by then is not among those of a state.
    for (tells, expected) in [(ALL, true), (NO_POSITIONS, false), (NO_STATES, false)] {
        let scene = Scene::with_view(1, |sale| (sale.stock_left, sale.orders) = (3, 0));
        assert_eq!(breaks(scene, tells, Invariant::StockReadsBounded), expected, "{tells:?}");
    }
}

#[test]
fn units_left_are_never_below_zero_where_they_are_told() {
    for (tells, expected) in [(ALL, true), (NO_POSITIONS, true), (NO_STOCK, false)] {
        let mut scene = Scene::new();
        scene.ledger.sale.stock_left = -1;
        assert_eq!(breaks(scene, tells, Invariant::StockNeverNegative), expected, "{tells:?}");
    }
}
