//! Changes inputs at random: bytes, numbers, words and lines, and parts of other inputs.

use crate::seeded::Random;

/// Longest input, in bytes: longer ones find little more, and take longer.
const LEN_MAX: usize = 256 << 10;

/// Changes of one input at most.
const CHANGES_MAX: usize = 8;

/// What readers of numbers may not expect.
const NUMBERS: &[&[u8]] = &[
    b"0",
    b"1",
    b"-1",
    b"1e309",
    b"-0.0",
    b"0.5",
    b"255",
    b"65536",
    b"4294967295",
    b"4294967296",
    b"9223372036854775807",
    b"18446744073709551614",
    b"18446744073709551615",
    b"18446744073709551616",
];

/// What readers of texts and lengths may not expect.
const WORDS: &[&[u8]] = &[
    b"NaN",
    b"null",
    b"true",
    b"\"\"",
    b"[]",
    b"{}",
    b"\n",
    b"\r\n",
    b"\r\n\r\n",
    b"\0",
    b" ",
    b"\t",
    b",",
    b":",
    b"=",
    b"\"",
    b"\\u0000",
    b"\\ud800",
    b"\xff\xff\xff\xff",
    b"\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x7f\xff\xff\xff",
    b"\xe2\x80\xae",
    b"\xc3",
    b"{{buyer}}",
    b"{{",
    b"[[",
    b"chunked",
    b"content-length: 99999999999",
    b"ffffffffffffffff",
    b"1970-01-01T00:00:00Z",
    b"9999-12-31T23:59:60Z",
    b"584542y",
    b"1ns",
    b"%00",
];

/// A source of changed inputs.
pub(crate) struct Mutator {
    random: Random,
    inputs: Vec<Vec<u8>>,
}

impl Mutator {
    pub(crate) fn new(random: Random, inputs: &[Vec<u8>]) -> Self {
        Self { random, inputs: inputs.to_vec() }
    }

    /// An input with a few changes.
    pub(crate) fn next(&mut self) -> Vec<u8> {
        let mut bytes = self.any_input().to_vec();
        // One change alone gets deepest into a reader.
        let changes = self.random.one_of(&[1, 1, 1, 2, 3, CHANGES_MAX]);
        for _ in 0..changes {
            self.change(&mut bytes);
        }
        bytes.truncate(LEN_MAX);
        bytes
    }

    fn any_input(&mut self) -> &[u8] {
        let number = self.random.below(self.inputs.len() as u64) as usize;
        &self.inputs[number]
    }

    /// A place in these bytes, or their end.
    fn place(&mut self, bytes: &[u8]) -> usize {
        self.random.below(bytes.len() as u64 + 1) as usize
    }

    /// A range of these bytes, seldom a long one.
    fn range(&mut self, bytes: &[u8]) -> std::ops::Range<usize> {
        let from = self.place(bytes);
        let longest = self.random.one_of(&[1, 8, 64, 4_096]);
        let len = self.random.below(longest) as usize + 1;
        from..(from + len).min(bytes.len())
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        match self.random.below(10) {
            0 => {
                let at = self.place(bytes);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << self.random.below(8);
                }
            }
            1 => {
                let at = self.place(bytes);
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = self.random.below(256) as u8;
                }
            }
            2 => {
                let range = self.range(bytes);
                bytes.drain(range);
            }
            3 => {
                let (range, at) = (self.range(bytes), self.place(bytes));
                let copy = bytes[range].to_vec();
                bytes.splice(at..at, copy);
            }
            4 => {
                let at = self.place(bytes);
                let word = self.random.one_of(WORDS);
                bytes.splice(at..at, word.iter().copied());
            }
            5 | 6 => self.replace_number(bytes),
            7 => {
                let other = self.any_input().to_vec();
                let (range, at) = (self.range(&other), self.range(bytes));
                bytes.splice(at, other[range].to_vec());
            }
            8 => self.move_line(bytes),
            _ => {
                let at = self.place(bytes);
                bytes.truncate(at.max(bytes.len() / 2));
            }
        }
    }

    /// Replaces a number in the text by another one.
    fn replace_number(&mut self, bytes: &mut Vec<u8>) {
        let is_of_word = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        let mut numbers = Vec::new();
        let mut at = 0;
        while at < bytes.len() {
            let len = bytes[at..].iter().take_while(|byte| is_of_word(byte)).count();
            if len > 0 && bytes[at..at + len].iter().all(u8::is_ascii_digit) {
                numbers.push(at..at + len);
            }
            at += len + 1;
        }
        if numbers.is_empty() {
            return;
        }
        let number = self.random.below(numbers.len() as u64) as usize;
        let other = self.random.one_of(NUMBERS);
        bytes.splice(numbers.swap_remove(number), other.iter().copied());
    }

    /// Removes a line, or repeats it elsewhere.
    fn move_line(&mut self, bytes: &mut Vec<u8>) {
        let start = self.place(bytes);
        let line_start = |at: usize, bytes: &[u8]| {
            bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)
        };
        let from = line_start(start, bytes);
        let len = bytes[from..].iter().position(|byte| *byte == b'\n');
        let to = len.map_or(bytes.len(), |len| from + len + 1);
        let line = bytes[from..to].to_vec();
        if self.random.below(2) == 0 {
            bytes.drain(from..to);
        }
        let at = self.place(bytes);
        let at = line_start(at, bytes);
        bytes.splice(at..at, line);
    }
}
