//! A request as bytes, made once; each attempt only writes its buyer and its id into it.

use std::time::Duration;

use uuid::Uuid;
use uuid::fmt::Hyphenated;

use crate::ids::ItemId;
use crate::profile::{Plan, Target};

/// A request with holes of a UUID's length.
#[derive(Debug, Clone)]
pub struct Template<const HOLES: usize> {
    bytes: Vec<u8>,
    holes: [usize; HOLES],
}

/// What stands in a hole until it is filled: no UUID has it.
const HOLE: [u8; Hyphenated::LENGTH] = [b'-'; Hyphenated::LENGTH];

impl Template<2> {
    /// `POST /seckill` of an attempt at `item`; the buyer and the request id go into its holes.
    pub fn purchase(target: &Target, plan: &Plan, item: &ItemId) -> Self {
        let hole = String::from_utf8_lossy(&HOLE);
        // No name needs escaping in JSON: see their alphabets.
        let body = format!(r#"{{"uid":"{hole}","request_id":"{hole}","item":"{item}"}}"#);
        let head = head("POST /seckill", target, plan);
        Self::new(format!(
            "{head}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len(),
        ))
    }
}

impl Template<1> {
    /// `GET /result/{request_id}`, held by the server for up to `wait`.
    pub fn result(target: &Target, plan: &Plan, wait: Duration) -> Self {
        let hole = String::from_utf8_lossy(&HOLE);
        let wait = wait.as_millis();
        Self::new(head(&format!("GET /result/{hole}?wait={wait}ms"), target, plan) + "\r\n")
    }
}

fn head(line: &str, target: &Target, plan: &Plan) -> String {
    let connection = if plan.keepalive { "keep-alive" } else { "close" };
    format!("{line} HTTP/1.1\r\nHost: {}\r\nConnection: {connection}\r\n", target.host)
}

impl<const HOLES: usize> Template<HOLES> {
    fn new(text: String) -> Self {
        let mut holes = [0; HOLES];
        let bytes = text.into_bytes();
        let found = bytes.windows(HOLE.len()).enumerate().filter(|(_, window)| **window == HOLE);
        for (hole, (at, _)) in holes.iter_mut().zip(found) {
            *hole = at;
        }
        Self { bytes, holes }
    }

    /// Writes ids into the holes.
    pub fn fill(&mut self, ids: [Uuid; HOLES]) {
        for (at, id) in self.holes.into_iter().zip(ids) {
            id.hyphenated().encode_lower(&mut self.bytes[at..at + Hyphenated::LENGTH]);
        }
    }

    /// The request's bytes, as it was filled last.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::Purchase;
    use crate::profile::BenchFlags;

    #[test]
    fn what_is_sent_is_what_the_api_reads() {
        let target = Target::new(Some("http://127.0.0.1:7001")).unwrap();
        let plan = Plan::new(&BenchFlags::default(), 0).unwrap();
        let mut template = Template::purchase(&target, &plan, &"tea".parse().unwrap());
        for number in [1, 2] {
            let (buyer, id) = (Uuid::from_u128(number), Uuid::from_u128(number + 10));
            template.fill([buyer, id]);
            let text = String::from_utf8(template.bytes().to_vec()).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            assert!(head.contains(&format!("Content-Length: {}", body.len())), "{head}");
            let purchase: Purchase = serde_json::from_str(body).unwrap();
            assert_eq!(purchase.uid, buyer.to_string());
            assert_eq!(purchase.request_id, Some(id.to_string()));
            assert_eq!(purchase.item.as_deref(), Some("tea"));
        }
    }

    #[test]
    fn a_result_is_asked_for_by_its_id() {
        let target = Target::new(Some("http://127.0.0.1:7001")).unwrap();
        let plan = Plan::new(&BenchFlags::default(), 0).unwrap();
        let mut template = Template::result(&target, &plan, Duration::from_secs(5));
        let id = Uuid::from_u128(9);
        template.fill([id]);
        let text = String::from_utf8(template.bytes().to_vec()).unwrap();
        assert!(text.starts_with(&format!("GET /result/{id}?wait=5000ms HTTP/1.1\r\n")), "{text}");
        assert!(text.ends_with("\r\n\r\n"));
    }
}
