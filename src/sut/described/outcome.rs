//! What an answer means: the first outcome whose conditions all hold.

use toml::Spanned;

use crate::escape::printable;
use crate::history::{Answered, Loss, Refused, Status};
use crate::ids::OrderId;
use crate::settings::RetryOn;
use crate::similar::nearest;
use crate::stats::{self, Reason};
use crate::sut::{Meaning, Received, Understood};

use super::answer::Extract;
use super::conditions::Conditions;
use super::cookies::Cookies;
use super::tables::Outcome;
use super::wrong::Wrong;

/// Maximum number of outcomes: reports count each reason, and know 64.
pub(super) const OUTCOMES_MAX: usize = 40;

/// Longest reason, in bytes.
const REASON_LEN_MAX: usize = 40;

/// What an answer with an outcome says.
#[derive(Debug, Clone)]
enum Is {
    Accepted,
    Won(Option<Extract>),
    Lost(Loss),
    /// Refused, for this reason; `None` if the request may have had an effect.
    Refused(Reason, Option<Refused>),
    Rejected,
    Unknown,
}

/// An outcome, compiled.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    conditions: Conditions,
    is: Is,
}

/// Of which request an outcome is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Purchase,
    Result,
}

impl Of {
    fn words(self) -> &'static [&'static str] {
        match self {
            Self::Purchase => &["accepted", "won", "lost", "refused", "rejected"],
            Self::Result => &["queued", "won", "lost", "unknown"],
        }
    }
}

impl Rule {
    /// Compiles an outcome of the purchase, or of a request for a result.
    pub(super) fn compile(table: &Outcome, of: Of) -> Result<Self, Wrong> {
        let (is, at) = (table.is.get_ref().as_str(), table.is.span().start);
        let Some(word) = of.words().iter().copied().find(|word| *word == is) else {
            let nearest = nearest(is, of.words().iter().copied());
            let cure = nearest.map_or_else(
                || format!("it is one of {}", of.words().join(", ")),
                |nearest| format!("the nearest is `{nearest}`"),
            );
            return Err(Wrong::at(at, format!("`{}` is no outcome: {cure}", printable(is))));
        };
        let only = |key: &str, given: bool, words: &str| match given {
            true => Err(Wrong::at(
                at,
                format!("`{key}` belongs to an outcome that is {words}: leave it out"),
            )),
            false => Ok(()),
        };
        only("order_id", table.order_id.is_some() && word != "won", "won")?;
        let has_reason = matches!(word, "lost" | "refused");
        only("reason", table.reason.is_some() && !has_reason, "refused or lost")?;
        only("no_effect", table.no_effect.is_some() && word != "refused", "refused")?;
        let reason = table.reason.as_ref().map(reason).transpose()?;
        let is = match word {
            "accepted" | "queued" => Is::Accepted,
            "won" => Is::Won(table.order_id.as_ref().map(order_id).transpose()?),
            "lost" => Is::Lost(reason.map_or(Loss::Unstated, loss)),
            "refused" => {
                let reason = reason.unwrap_or("refused");
                let promises = table.no_effect.unwrap_or(true);
                Is::Refused(Reason::intern(reason), promises.then(|| refused(reason)))
            }
            "rejected" => Is::Rejected,
            _ => Is::Unknown,
        };
        Ok(Self { conditions: Conditions::compile(table)?, is })
    }

    /// An error if an earlier outcome has each answer that a later one could have.
    pub(super) fn check_reachable(rules: &[Self], of: Of, tables: &[Outcome]) -> Result<(), Wrong> {
        for (number, (rule, table)) in rules.iter().zip(tables).enumerate() {
            let covers = |earlier: &&Self| {
                earlier.ends_search(of) && earlier.conditions.cover(&rule.conditions)
            };
            let Some(earlier) = rules[..number].iter().position(|earlier| covers(&earlier)) else {
                continue;
            };
            let is_same = rule.conditions.cover(&rules[earlier].conditions);
            let order = if is_same { "" } else { "put this one before it, or " };
            let problem = format!(
                "outcome number {} has each answer that this one could have: {order}add a \
                 condition to it, such as text = \"a pattern\"",
                earlier + 1
            );
            return Err(Wrong::at(table.is.span().start, problem));
        }
        Ok(())
    }

    /// Whether no later outcome is tried when the conditions of this one hold: a result that is won
    /// has an answer only with the id of its order.
    fn ends_search(&self, of: Of) -> bool {
        of == Of::Purchase || !matches!(self.is, Is::Won(Some(_)))
    }

    /// The reason with which it counts in reports, if it is a refusal.
    pub(super) fn refusal(&self) -> Option<&'static str> {
        match self.is {
            Is::Refused(reason, _) => Some(reason.as_str()),
            _ => None,
        }
    }

    fn order(extract: Option<&Extract>, received: Received<'_>) -> Option<OrderId> {
        match extract {
            Some(extract) => {
                // A cookie is no order's id.
                let none = Cookies::default();
                let id = extract.of(received, &none)?.into_owned();
                Some(OrderId::from_text(id))
            }
            None => Some(OrderId::untold()),
        }
    }

    /// What the answer says of its attempt, if it has this outcome; the inner `None` says that it
    /// lacks the id of the order.
    fn understand(&self, received: Received<'_>) -> Option<Option<Understood>> {
        if !self.conditions.hold(received) {
            return None;
        }
        let answered = |outcome, answered| (outcome, Meaning::Answered(answered), None);
        let (outcome, meaning, retry) = match &self.is {
            Is::Accepted => answered(stats::Outcome::Accepted, Answered::Accepted),
            Is::Won(extract) => match Self::order(extract.as_ref(), received) {
                Some(order) => answered(stats::Outcome::Won, Answered::Won(Box::new(order))),
                None => return Some(None),
            },
            Is::Lost(loss) => answered(stats::Outcome::Lost, Answered::Lost(*loss)),
            Is::Refused(reason, None) => {
                answered(stats::Outcome::Refused(*reason), Answered::Unknown)
            }
            Is::Refused(reason, Some(refused)) => {
                let retry = match refused {
                    Refused::RateLimited => Some(RetryOn::RateLimited),
                    Refused::Unavailable => Some(RetryOn::Unavailable),
                    _ => None,
                };
                (stats::Outcome::Refused(*reason), Meaning::Refused(*refused), retry)
            }
            Is::Rejected => (stats::Outcome::Rejected, Meaning::Refused(Refused::Other), None),
            Is::Unknown => return None,
        };
        Some(Some(Understood { outcome, meaning, retry }))
    }

    /// What the answer to a request for a result says, if it has this outcome; the inner `None`
    /// says that the shop does not know the attempt.
    fn understand_result(&self, received: Received<'_>) -> Option<Option<Status>> {
        if !self.conditions.hold(received) {
            return None;
        }
        Some(match &self.is {
            Is::Accepted => Some(Status::Queued),
            Is::Won(extract) => Some(Status::Won(Self::order(extract.as_ref(), received)?)),
            Is::Lost(loss) => Some(Status::Lost(*loss)),
            Is::Refused(..) | Is::Rejected | Is::Unknown => None,
        })
    }
}

/// What an answer to a purchase means, and the number of the outcome that says so; the inner `None`
/// says that the answer lacks the id of its order.
pub(super) fn understand(
    rules: &[Rule],
    received: Received<'_>,
) -> Option<(usize, Option<Understood>)> {
    let mut rules = rules.iter().enumerate();
    rules.find_map(|(number, rule)| Some((number, rule.understand(received)?)))
}

/// What an answer to a request for a result means.
pub(super) fn understand_result(rules: &[Rule], received: Received<'_>) -> Option<Option<Status>> {
    rules.iter().find_map(|rule| rule.understand_result(received))
}

fn order_id(text: &Spanned<String>) -> Result<Extract, Wrong> {
    let wrong = |problem| Wrong { at: text.span().start, problem };
    Extract::parse(text.get_ref()).map_err(wrong)
}

fn reason(text: &Spanned<String>) -> Result<&str, Wrong> {
    let word = text.get_ref().as_str();
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if word.is_empty() || word.len() > REASON_LEN_MAX || !word.chars().all(is_plain) {
        let problem = format!(
            "`{}` is no reason: at most {REASON_LEN_MAX} of a-z, 0-9 and _",
            printable(word)
        );
        return Err(Wrong::at(text.span().start, problem));
    }
    Ok(word)
}

fn refused(reason: &str) -> Refused {
    match reason {
        "sold_out" => Refused::SoldOut,
        "already_bought" => Refused::AlreadyBought,
        "not_open" => Refused::NotOpen,
        "closed" => Refused::Closed,
        "rate_limited" => Refused::RateLimited,
        "unavailable" => Refused::Unavailable,
        _ => Refused::Other,
    }
}

/// The loss of a reason of the shop's: one of its own does not say more than that it lost.
pub(in crate::sut) fn loss(reason: &str) -> Loss {
    match reason {
        "sold_out" => Loss::SoldOut,
        "already_bought" => Loss::AlreadyBought,
        _ => Loss::Unstated,
    }
}
