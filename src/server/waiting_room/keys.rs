//! The keys of the waiting room: what signs tickets, and what orders them.

use hmac::digest::generic_array::GenericArray;
use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};

use crate::secret::Secret;
use crate::store::SaleView;

/// HMAC-SHA256 (RFC 2104).
type Hmac256 = Hmac<Sha256>;

/// Length of a signature as hexadecimal digits.
pub(super) const SIGNATURE_LEN: usize = 64;

/// Keys that follow from a secret, one for each purpose.
#[derive(Clone)]
pub(super) struct Keys {
    tickets: Hmac256,
    order: Hmac256,
    sales: Hmac256,
}

impl Keys {
    pub(super) fn new(Secret(secret): &Secret) -> Self {
        let root = hmac(&Sha256::digest(secret));
        let derived =
            |purpose: &str| hmac(&root.clone().chain_update(purpose).finalize().into_bytes());
        let purposes = ["waiting-room/tickets", "waiting-room/order", "waiting-room/sales"];
        let [tickets, order, sales] = purposes.map(derived);
        Self { tickets, order, sales }
    }

    /// The signature of a ticket's text.
    pub(super) fn sign(&self, text: &str) -> String {
        hex::encode(self.tickets.clone().chain_update(text).finalize().into_bytes())
    }

    /// Whether this is the signature of the text; compared in constant time.
    pub(super) fn is_signed(&self, text: &str, signature: &str) -> bool {
        let mut bytes = [0; SIGNATURE_LEN / 2];
        let tickets = self.tickets.clone().chain_update(text);
        hex::decode_to_slice(signature, &mut bytes).is_ok() && tickets.verify_slice(&bytes).is_ok()
    }

    /// A number that nobody can know without the secret, uniform over all that it can be.
    pub(super) fn draw(&self, text: &str) -> u64 {
        number(&self.order, text)
    }

    /// Which opening of a sale this is: the same number in all processes on one store, and another
    /// one for a sale with other terms, such as another moment of opening, or of another epoch.
    pub(super) fn sale(&self, sale: &SaleView) -> u64 {
        number(&self.sales, &format!("{} {}", sale.epoch, sale.terms))
    }
}

/// The first bytes of a signature, as a number.
fn number(key: &Hmac256, text: &str) -> u64 {
    let bytes: [u8; 32] = key.clone().chain_update(text).finalize().into_bytes().into();
    bytes.iter().take(8).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys(…)")
    }
}

/// HMAC with a key of 32 bytes, which is filled up with zeros to a block, as RFC 2104 says.
fn hmac(key: &[u8]) -> Hmac256 {
    let mut block = GenericArray::default();
    block.iter_mut().zip(key).for_each(|(place, byte)| *place = *byte);
    Hmac256::new(&block)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(secret: &str) -> Keys {
        Keys::new(&Secret(secret.into()))
    }

    #[test]
    fn hmac_is_that_of_rfc_4231() {
        // Test case 1: a key of 20 bytes.
        let signature = hmac(&[0x0b; 20]).chain_update("Hi There").finalize().into_bytes();
        let expected = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
        assert_eq!(hex::encode(signature), expected);
    }

    #[test]
    fn only_the_text_with_its_own_signature_is_signed() {
        let (keys, others) = (keys("one secret"), keys("another secret"));
        let signature = keys.sign("a~b");
        assert_eq!(signature.len(), SIGNATURE_LEN);
        assert!(keys.is_signed("a~b", &signature));
        assert!(!keys.is_signed("a~c", &signature));
        assert!(!others.is_signed("a~b", &signature));
        for wrong in
            ["", "zz", &signature[1..], &format!("{signature}00"), &signature.replace('a', "b")]
        {
            assert!(!keys.is_signed("a~b", wrong), "{wrong}");
        }
    }

    #[test]
    fn draws_are_spread_and_differ_from_secret_to_secret() {
        let of = |keys: &Keys| -> Vec<u64> {
            (0..1_000).map(|number: u64| keys.draw(&number.to_string())).collect()
        };
        let (one, another) = (of(&keys("one secret")), of(&keys("another secret")));
        assert!(one.iter().zip(&another).all(|(one, another)| one != another));
        for quarter in 0..4 {
            let in_quarter = one.iter().filter(|draw| **draw >> 62 == quarter).count();
            assert!((200..300).contains(&in_quarter), "{in_quarter}");
        }
    }
}
