//! The refusal that was understood last. In a flash sale nearly all answers are the same refusal,
//! and comparing one takes a small part of the time that parsing it takes.

use crate::ids::RequestId;
use crate::sut::{Meaning, Understood, Unusable};

use super::answer::{parse, understand_answer};

/// Longest body that is kept, in bytes: a refusal without a message is shorter.
const LEN_MAX: usize = 80;

/// A refusal that names no attempt, with what it means: the same bytes mean the same for every
/// attempt.
#[derive(Debug, Clone, Default)]
pub(crate) struct LastRefusal(Option<Refusal>);

#[derive(Debug, Clone)]
struct Refusal {
    status: u16,
    len: usize,
    body: [u8; LEN_MAX],
    means: Understood,
}

impl LastRefusal {
    /// Interprets an answer to the attempt `ours`, as [`understand_answer`] does.
    pub(crate) fn understand(
        &mut self,
        status: u16,
        body: &[u8],
        ours: RequestId,
    ) -> Result<Understood, Unusable> {
        if let Some(last) = &self.0
            && last.status == status
            && last.body[..last.len] == *body
        {
            return Ok(last.means.clone());
        }
        let answer = parse(status, body)?;
        let names_attempt = answer.request_id.is_some();
        let means = understand_answer(status, answer, ours)?;
        if matches!(means.meaning, Meaning::Refused(_)) && !names_attempt && body.len() <= LEN_MAX {
            let mut kept = [0; LEN_MAX];
            kept[..body.len()].copy_from_slice(body);
            self.0 = Some(Refusal { status, len: body.len(), body: kept, means: means.clone() });
        }
        Ok(means)
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::sut::builtin::answer::tests::understand;

    #[test]
    fn repeated_answers_mean_what_they_mean_alone() {
        let (ours, other) = (RequestId(Uuid::from_u128(7)), RequestId(Uuid::from_u128(8)));
        let named = format!(r#"{{"status":"rejected","reason":"sold_out","request_id":"{ours}"}}"#);
        let long = format!(r#"{{"status":"rejected","reason":"sold_out","message":"{named:?}"}}"#);
        let bodies = [
            r#"{"status":"rejected","reason":"sold_out"}"#,
            r#"{"status":"rejected","reason":"sold_out"} "#,
            r#"{"status":"rejected","reason":"rate_limited"}"#,
            r#"{"status":"rejected","reason":"sold_out""#,
            r#"{"status":"queued"}"#,
            r#"{"status":"won","order_id":"o"}"#,
            "",
            &named,
            &long,
        ];
        let mut last = LastRefusal::default();
        for first in bodies {
            for second in bodies {
                for (status, id) in [(410, ours), (429, ours), (410, other), (200, ours)] {
                    let _ = last.understand(410, first.as_bytes(), ours);
                    let seen = last.understand(status, second.as_bytes(), id);
                    assert_eq!(seen, understand(status, second.as_bytes(), id), "{second}");
                }
            }
        }
    }
}
