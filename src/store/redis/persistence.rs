//! Warns at start-up when the Redis server could lose acknowledged sales.

use super::link::Link;

/// Logs a warning for every setting that allows an acknowledged sale to be lost.
pub(super) async fn warn(link: &Link) {
    let setting = async |name: &str| -> Option<String> {
        let mut get = redis::cmd("CONFIG");
        let found: Vec<String> = link.ask(get.arg("GET").arg(name)).await.ok()?;
        found.into_iter().nth(1)
    };
    let Some(appendonly) = setting("appendonly").await else {
        tracing::warn!(
            "the Redis server does not show its persistence settings: acknowledged sales are safe \
             only with `appendonly yes` and `appendfsync always`"
        );
        return;
    };
    for problem in problems(
        &appendonly,
        setting("appendfsync").await.as_deref().unwrap_or_default(),
        setting("maxmemory-policy").await.as_deref().unwrap_or_default(),
    ) {
        tracing::warn!("{problem}");
    }
}

fn problems(appendonly: &str, appendfsync: &str, eviction: &str) -> Vec<&'static str> {
    let mut problems = Vec::new();
    match (appendonly, appendfsync) {
        ("yes", "always") => {}
        ("yes", "everysec") => problems.push(
            "Redis has `appendfsync everysec`: a crash can lose the acknowledged sales of the last \
             second; set `appendfsync always`",
        ),
        ("yes", _) => problems.push(
            "Redis has `appendfsync no`: a crash can lose the acknowledged sales of half a minute; \
             set `appendfsync always`",
        ),
        _ => problems.push(
            "Redis has `appendonly no`: a crash can lose acknowledged sales; set `appendonly yes` \
             and `appendfsync always`",
        ),
    }
    if eviction.starts_with("allkeys") {
        problems.push(
            "Redis may evict any key when its memory is full, sales included; set \
             `maxmemory-policy noeviction`",
        );
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_but_appendfsync_always_is_warned_about() {
        assert!(problems("yes", "always", "noeviction").is_empty());
        for (appendonly, appendfsync) in [("no", "always"), ("yes", "everysec"), ("yes", "no")] {
            assert_eq!(problems(appendonly, appendfsync, "noeviction").len(), 1);
        }
        assert!(problems("no", "everysec", "noeviction")[0].contains("`appendonly no`"));
        assert_eq!(problems("yes", "always", "allkeys-lru").len(), 1);
    }
}
