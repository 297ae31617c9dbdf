use std::time::Duration;

use super::nemesis::Breaks;
use super::*;

#[test]
fn written_fault_is_read_as_the_same_fault() {
    for text in [
        "at=5s for=10s what=broker do=blackhole",
        "at=0s what=store do=latency delay=35ms",
        "at=1m30s for=250ms what=client do=latency delay=100ms jitter=20ms way=down",
        "at=stock<50% for=1s what=store do=bandwidth rate=64000/s",
        "at=stock<12 what=broker do=slicer bytes=64 delay=1ms way=up",
        "at=1s for=2s what=client do=timeout delay=500ms",
        "at=1s what=broker do=reset",
        "at=1s what=broker do=slow-close delay=1s",
        "at=1s what=client do=limit-data bytes=0",
        "at=1s for=3s what=store do=down",
        "at=1s for=3s what=store do=half-open",
        "at=1s for=3s what=server do=pause",
        "at=1s for=3s what=consumer do=kill",
        "at=1s for=3s what=broker do=wipe",
        "at=1s for=3s what=disk do=full",
        "at=1s for=3s what=broker do=kill node=follower",
        "at=1s what=broker do=pause node=majority",
    ] {
        let fault: Fault = text.parse().unwrap();
        assert_eq!(fault.to_string(), text);
        assert_eq!(fault.to_string().parse::<Fault>().unwrap(), fault);
    }
}

#[test]
fn order_of_the_words_does_not_matter() {
    let one: Fault = "do=kill what=server for=1s at=2s".parse().unwrap();
    assert_eq!(one.to_string(), "at=2s for=1s what=server do=kill");
}

#[test]
fn invalid_fault_is_reported_with_its_cure() {
    let cases = [
        ("", "`at` is missing: write, for instance, at=5s"),
        ("at=5s what=broker", "`do` is missing"),
        ("at=5s broker", "`broker` is no key=value"),
        ("at=5s whta=broker", "`whta` is no key of a fault: the nearest is `what`"),
        ("at=5s at=6s", "`at` is given twice"),
        ("at=soon what=broker do=down", "`soon` is not a time"),
        ("at=stock>5 what=broker do=down", "write stock<50%"),
        ("at=stock<x what=broker do=down", "`x` is not a count"),
        ("at=5s what=brokr do=down", "the nearest is `broker`"),
        ("at=5s what=broker do=blakhole", "the nearest is `blackhole`"),
        ("at=5s what=broker do=latency", "add delay=100ms"),
        ("at=5s what=broker do=latency delay=1ms jitter=2ms", "`jitter` is over `delay`"),
        ("at=5s what=broker do=slicer bytes=0 delay=1ms", "at least 1"),
        ("at=5s what=broker do=bandwidth rate=5", "add rate=64k/s"),
        ("at=5s what=broker do=bandwidth rate=0/s", "add rate=64k/s"),
        ("at=5s what=broker do=down delay=5s", "`delay` says nothing about do=down"),
        ("at=5s what=broker do=down way=up", "`way` says nothing about do=down"),
        ("at=5s what=broker do=blackhole way=left", "`left` is no direction"),
        ("at=5s for=0s what=broker do=down", "`for` must be above 0"),
        ("at=5s for=2days what=broker do=down", "is over 1day"),
        ("at=5s what=client do=kill", "buyers are no process"),
        ("at=5s what=server do=latency delay=1s", "is a process"),
        ("at=5s what=disk do=kill", "can only be do=full"),
        ("at=5s what=broker do=kill node=folower", "the nearest is `follower`"),
        ("at=5s what=broker do=wipe node=leader", "`node` is of what=broker with do=pause or"),
        ("at=5s what=store do=kill node=leader", "do=kill: leave it out"),
        ("at=5s what=store do=full", "write what=disk do=full"),
        ("at=5s what=\u{1b}[31m do=full", "`\\u{1b}[31m` is no part"),
    ];
    for (text, expected) in cases {
        let error = text.parse::<Fault>().unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
    }
}

#[test]
fn table_of_a_profile_is_a_fault() {
    #[derive(serde::Deserialize)]
    struct Profile {
        fault: Vec<Fault>,
    }
    let text = "[[fault]]\nat = \"5s\"\nwhat = \"client\"\ndo = \"limit-data\"\nbytes = 64\n";
    let Profile { fault } = toml::from_str(text).unwrap();
    assert_eq!(fault[0].to_string(), "at=5s what=client do=limit-data bytes=64");
    let error = toml::from_str::<Profile>("[[fault]]\nat = true\n").map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("a text or a whole number"), "{error}");
}

/// A system of one server on a broker and a store.
const PARTS: &[(Part, Breaks)] = &[
    (Part::Client, Breaks::Connections),
    (Part::Broker, Breaks::Connections),
    (Part::Broker, Breaks::Process),
    (Part::Server, Breaks::Process),
];

#[test]
fn campaign_is_drawn_from_its_seed() {
    let draw = |seed, minutes: u64| {
        let (from, over) = (Duration::ZERO, Duration::from_secs(60 * minutes));
        Nemesis { seed, from, over }.draw(PARTS)
    };
    let faults = draw(7, 10);
    assert_eq!(faults, draw(7, 10));
    assert_ne!(faults[..9], draw(8, 10)[..9]);
    assert_eq!(faults[..9], draw(7, 5)[..9], "a longer campaign begins as a shorter one");
    assert!((180..=240).contains(&faults.len()), "{}", faults.len());
    for fault in &faults {
        assert_eq!(fault.to_string().parse::<Fault>().as_ref(), Ok(fault));
        assert_ne!(fault.does, Action::Process(ProcessAction::Wipe));
    }
    let kinds: std::collections::BTreeSet<_> =
        faults.iter().map(|fault| format!("{} {:?}", fault.what.as_str(), fault.does)).collect();
    let has = |part: &str| kinds.iter().any(|kind| kind.starts_with(part));
    assert!(["client", "broker", "server"].into_iter().all(has), "{kinds:?}");
    let nemesis = |from, over| {
        let [from, over] = [from, over].map(Duration::from_secs);
        Nemesis { seed: 7, from, over }
    };
    assert_eq!(nemesis(0, 1).draw(PARTS), []);
    assert_eq!(nemesis(0, 60).draw(&[]), []);
    let after = nemesis(9, 60).draw(PARTS);
    assert_eq!(after[0].at, Trigger::After(Duration::from_secs(10)));
}
