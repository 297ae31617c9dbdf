//! A request as bytes, made once; each attempt only writes its buyer and its id into it.

use uuid::Uuid;
use uuid::fmt::Hyphenated;

use crate::profile::{Plan, Target};
use crate::sale::ItemId;

/// `POST /seckill` with two holes of a UUID's length.
#[derive(Debug, Clone)]
pub struct Template {
    bytes: Vec<u8>,
    uid_at: usize,
    request_id_at: usize,
}

impl Template {
    /// The request of every attempt at `item`.
    pub fn new(target: &Target, plan: &Plan, item: &ItemId) -> Self {
        let hole = "-".repeat(Hyphenated::LENGTH);
        // No name needs escaping in JSON: see their alphabets.
        let before_uid = r#"{"uid":""#;
        let before_id = r#"","request_id":""#;
        let body = format!(r#"{before_uid}{hole}{before_id}{hole}","item":"{item}"}}"#);
        let connection = if plan.keepalive { "keep-alive" } else { "close" };
        let head = format!(
            "POST /seckill HTTP/1.1\r\nHost: {}\r\nConnection: {connection}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            target.host,
            body.len(),
        );
        let uid_at = head.len() + before_uid.len();
        let request_id_at = uid_at + Hyphenated::LENGTH + before_id.len();
        Self { bytes: (head + &body).into_bytes(), uid_at, request_id_at }
    }

    /// The bytes of one attempt.
    pub fn fill(&mut self, buyer: Uuid, request_id: Uuid) -> &[u8] {
        for (at, id) in [(self.uid_at, buyer), (self.request_id_at, request_id)] {
            id.hyphenated().encode_lower(&mut self.bytes[at..at + Hyphenated::LENGTH]);
        }
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
        let mut template = Template::new(&target, &plan, &"tea".parse().unwrap());
        for number in [1, 2] {
            let (buyer, id) = (Uuid::from_u128(number), Uuid::from_u128(number + 10));
            let bytes = template.fill(buyer, id).to_vec();
            let text = String::from_utf8(bytes).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            assert!(head.contains(&format!("Content-Length: {}", body.len())), "{head}");
            let purchase: Purchase = serde_json::from_str(body).unwrap();
            assert_eq!(purchase.uid, buyer.to_string());
            assert_eq!(purchase.request_id, Some(id.to_string()));
            assert_eq!(purchase.item.as_deref(), Some("tea"));
        }
    }
}
