//! Warns at start-up when the Redis server could lose acknowledged sales.

use crate::secret::EngineUrl;

use super::link::Link;

/// Logs a warning for every setting that allows an acknowledged sale to be lost. In a cluster, each
/// replica may be the next primary, so their settings count as much.
pub(super) async fn warn(links: &[Link]) {
    let mut warned = Vec::new();
    for link in links {
        let servers = link.servers();
        // Buckets at the same primary have the same servers.
        if !warned.contains(&servers) {
            warn_of(link, &servers).await;
            warned.push(servers);
        }
    }
}

async fn warn_of(link: &Link, servers: &[Option<EngineUrl>]) {
    if let [None, Some(_)] = servers {
        tracing::warn!(
            "the primary of the store's keys has one replica: if either fails, every attempt is \
             refused until there is a replica again; have two"
        );
    }
    for server in servers {
        for problem in problems_of(link, server.as_ref()).await {
            match server {
                None => tracing::warn!("{problem}"),
                Some(replica) => tracing::warn!(%replica, "{problem}"),
            }
        }
    }
}

async fn problems_of(link: &Link, server: Option<&EngineUrl>) -> Vec<&'static str> {
    let setting = async |name: &str| link.setting(server, name).await;
    let Some(appendonly) = setting("appendonly").await else {
        return vec![
            "the Redis server does not show its persistence settings: acknowledged sales are safe \
             only with `appendonly yes` and `appendfsync always`",
        ];
    };
    let mut problems = problems(
        &appendonly,
        setting("appendfsync").await.as_deref().unwrap_or_default(),
        setting("maxmemory-policy").await.as_deref().unwrap_or_default(),
    );
    if server.is_some() {
        problems.extend(problems_in_cluster(
            setting("cluster-replica-validity-factor").await.as_deref().unwrap_or_default(),
            setting("repl-timeout").await.as_deref().unwrap_or_default(),
            setting("cluster-node-timeout").await.as_deref().unwrap_or_default(),
        ));
    }
    problems
}

/// The problems of a node of a cluster: `repl-timeout` is in seconds, and `cluster-node-timeout` in
/// milliseconds.
fn problems_in_cluster(validity: &str, replica: &str, node: &str) -> Vec<&'static str> {
    let mut problems = Vec::new();
    if validity == "0" {
        problems.push(
            "Redis has `cluster-replica-validity-factor 0`: a replica may take over that was cut \
             off for long, without the acknowledged sales of that time; set it to 10, the default",
        );
    }
    if let (Ok(replica_s), Ok(node_ms)) = (replica.parse::<u64>(), node.parse::<u64>())
        && replica_s * 1_000 <= node_ms
    {
        problems.push(
            "Redis has a `repl-timeout` that is not above `cluster-node-timeout`: a primary \
             that is cut off may acknowledge sales without a replica that then takes over; raise \
             the first or lower the second",
        );
    }
    problems
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
    fn settings_by_which_a_stale_replica_takes_over_are_warned_about() {
        assert!(problems_in_cluster("10", "60", "15000").is_empty());
        assert!(problems_in_cluster("", "", "").is_empty(), "they are not shown");
        assert!(problems_in_cluster("0", "60", "15000")[0].contains("validity-factor 0"));
        assert!(problems_in_cluster("10", "15", "15000")[0].contains("`repl-timeout`"));
    }

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
