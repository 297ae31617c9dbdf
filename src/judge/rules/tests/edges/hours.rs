//! The moments at which a sale was certainly open.

use crate::judge::facts::Facts;
use crate::judge::rules::hours::CertainlyOpen;
use crate::judge::rules::tests::scene::Scene;

#[test]
fn sale_is_certainly_open_between_two_acceptances_less_a_second() {
    let mut scene = Scene::new();
    let entry = scene.entry(4);
    (entry.sent_us, entry.answered_us) = (3_000_000, 3_000_001);
    let open = CertainlyOpen::of(&Facts::gather(&scene.history, &scene.ledger, true));
    // The first one was answered at 20 ms.
    assert!(!open.had_opened(1_020_000));
    assert!(open.had_opened(1_020_001));
    assert!(open.had_not_closed(1_999_999));
    assert!(!open.had_not_closed(2_000_000));
}
