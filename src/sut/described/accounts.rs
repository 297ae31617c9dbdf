//! The buyers of a file: the accounts with which a shop is loaded.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Largest file of buyers, in bytes, and the maximum number of its rows.
const FILE_LEN_MAX: u64 = 256 << 20;
const ROWS_MAX: usize = 1_000_000;

/// The rows of a CSV file with a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accounts {
    columns: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Accounts {
    /// Reads a CSV file, whose first line names its columns.
    ///
    /// # Errors
    /// When the file cannot be read, has no rows, or two rows have the same buyer.
    pub fn read(path: &Path) -> Result<Self, String> {
        let file = File::open(path).map_err(|error| error.to_string())?;
        Self::parse(file.take(FILE_LEN_MAX))
    }

    fn parse(file: impl Read) -> Result<Self, String> {
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::Headers).from_reader(file);
        let columns = reader.headers().map_err(|error| error.to_string())?;
        let columns: Vec<String> = columns.iter().map(str::to_owned).collect();
        if columns.iter().all(String::is_empty) {
            return Err("the first line has to name the columns".to_owned());
        }
        let mut rows: Vec<Vec<String>> = Vec::new();
        for record in reader.records() {
            let record = record.map_err(|error| error.to_string())?;
            if rows.len() >= ROWS_MAX {
                return Err(format!("has more than {ROWS_MAX} rows"));
            }
            rows.push(record.iter().map(str::to_owned).collect());
        }
        if rows.is_empty() {
            return Err("has no row after the one that names the columns".to_owned());
        }
        let accounts = Self { columns, rows };
        let mut seen: HashMap<&str, usize> = HashMap::new();
        for (number, row) in accounts.rows.iter().enumerate() {
            let buyer = &*row[accounts.buyer_column()];
            if let Some(first) = seen.insert(buyer, number) {
                // The header is line 1.
                return Err(format!("lines {} and {} have the same buyer", first + 2, number + 2));
            }
        }
        Ok(accounts)
    }

    /// The names of the columns.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Number of rows, at least 1.
    pub fn count(&self) -> u64 {
        self.rows.len() as u64
    }

    /// The row of the buyer with this number; they begin again after the last one.
    pub(super) fn row(&self, buyer: u64) -> &[String] {
        &self.rows[(buyer % self.count()) as usize]
    }

    /// The number of each buyer, by the text that stands for it.
    pub(super) fn buyers(&self) -> HashMap<&str, u64> {
        let column = self.buyer_column();
        (0..).zip(&self.rows).map(|(number, row)| (&*row[column], number)).collect()
    }

    /// The column that names the buyer: `buyer`, or else the first one.
    fn buyer_column(&self) -> usize {
        self.columns.iter().position(|column| column == "buyer").unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Accounts, String> {
        Accounts::parse(text.as_bytes())
    }

    #[test]
    fn rows_are_read_with_their_columns() {
        let accounts = parse("token, buyer\nt1,ann\n\"t,2\",bob\n").unwrap();
        assert_eq!(accounts.columns(), ["token", "buyer"]);
        assert_eq!((accounts.count(), accounts.row(3)), (2, &["t,2".into(), "bob".into()][..]));
        assert_eq!(accounts.buyers(), HashMap::from([("ann", 0), ("bob", 1)]));
        assert_eq!(parse("id,x\n7,y\n").unwrap().buyers(), HashMap::from([("7", 0)]));
    }

    #[test]
    fn unusable_files_are_errors() {
        for (text, problem) in [
            ("", "name the columns"),
            ("a,b\n", "no row"),
            ("a,b\n1\n", "2 fields"),
            ("a\nx\ny\nx\n", "lines 2 and 4 have the same buyer"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }
}
