//! The first line: which column is what.

use super::records::Record;

/// The columns that every journal has, in the order of [`Required`].
const REQUIRED: [&str; 7] = [
    "entry_id",
    "effective_date",
    "debit_account",
    "credit_account",
    "amount",
    "asset",
    "description",
];

/// The most columns beside them: a transaction has at most 64 free fields, and one of them is the entry's id.
const MAX_EXTRA: usize = 63;

/// Where the required columns are.
#[derive(Debug, Clone, Copy)]
pub(super) struct Required {
    pub(super) entry_id: usize,
    pub(super) effective_date: usize,
    pub(super) debit_account: usize,
    pub(super) credit_account: usize,
    pub(super) amount: usize,
    pub(super) asset: usize,
    pub(super) description: usize,
}

/// What the columns are.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    pub(super) names: Vec<String>,
    pub(super) required: Required,
    /// All others, by their place.
    pub(super) extra: Vec<usize>,
}

impl Columns {
    /// Reads the first record.
    pub(super) fn read(header: &Record) -> Result<Columns, String> {
        let names: Result<Vec<String>, _> = header
            .fields()
            .map(|name| std::str::from_utf8(name).map(str::to_owned))
            .collect();
        let names = names.map_err(|_| "the first line is not UTF-8 text: save the file as CSV in UTF-8".to_owned())?;
        check_names(&names)?;
        let place = |name: &str| names.iter().position(|found| found == name);
        let [
            Some(entry_id),
            Some(effective_date),
            Some(debit_account),
            Some(credit_account),
            Some(amount),
            Some(asset),
            Some(description),
        ] = REQUIRED.map(place)
        else {
            return Err(missing(&names));
        };
        let is_extra = |index: &usize| names.get(*index).is_some_and(|name| !REQUIRED.contains(&name.as_str()));
        let extra: Vec<usize> = (0..names.len()).filter(is_extra).collect();
        if extra.len() > MAX_EXTRA {
            return Err(format!(
                "{} columns beside the required ones, at most {MAX_EXTRA} are kept",
                extra.len()
            ));
        }
        let required = Required {
            entry_id,
            effective_date,
            debit_account,
            credit_account,
            amount,
            asset,
            description,
        };
        Ok(Columns { names, required, extra })
    }

    /// The place of a column.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|found| found == name)
    }
}

fn check_names(names: &[String]) -> Result<(), String> {
    for (index, name) in names.iter().enumerate() {
        let column = index + 1;
        if names.iter().take(index).any(|before| before == name) {
            return Err(format!("the first line names the column {name:?} twice"));
        }
        if name.chars().count() > 64 || name.chars().any(char::is_control) {
            let start: String = name.chars().take(32).collect();
            return Err(format!(
                "the name of column {column}, {start:?} …, is too long or has control characters: is this a CSV file?"
            ));
        }
    }
    // Last: a file that is no journal at all is better described by what is missing.
    match names.iter().position(String::is_empty) {
        Some(index) if REQUIRED.iter().all(|name| names.iter().any(|found| found == name)) => {
            Err(format!("column {} has no name in the first line", index + 1))
        }
        _ => Ok(()),
    }
}

fn missing(names: &[String]) -> String {
    let missing: Vec<&str> = REQUIRED
        .into_iter()
        .filter(|name| !names.iter().any(|found| found == name))
        .collect();
    let mut found = names.join(", ");
    if found.chars().count() > 200 {
        found = format!("{} …", found.chars().take(200).collect::<String>());
    }
    format!(
        "the first line must name the columns {}; missing: {}; found: {found}",
        REQUIRED.join(", "),
        missing.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::super::records::Records;
    use super::*;

    fn read(header: &[u8]) -> Result<Columns, String> {
        Columns::read(
            &Records::new([header, b"\n"].concat().as_slice())
                .next()
                .unwrap()
                .unwrap(),
        )
    }

    #[test]
    fn columns_may_stand_in_any_order() {
        let columns =
            read(b"note,asset,amount,credit_account,debit_account,effective_date,entry_id,description,b").unwrap();
        assert_eq!((columns.required.entry_id, columns.required.asset), (6, 1));
        assert_eq!(columns.extra, [0, 8]);
        assert_eq!(columns.place("b"), Some(8));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let all = "entry_id,effective_date,debit_account,credit_account,amount,asset,description";
        for (header, problem) in [
            (
                "entry_id,amount,Asset".to_owned(),
                "missing: effective_date, debit_account, credit_account, asset, description; found: entry_id, amount, Asset",
            ),
            (format!("{all},a,a"), "names the column \"a\" twice"),
            (format!("{all},"), "column 8 has no name"),
            (format!("{all},{}", "x".repeat(65)), "column 8"),
            (format!("{all},a\tb"), "control characters"),
        ] {
            let error = read(header.as_bytes()).unwrap_err();
            assert!(error.contains(problem), "{error}");
        }
        let many: String = (0..64).map(|index| format!(",c{index}")).collect();
        assert!(
            read(format!("{all}{many}").as_bytes())
                .unwrap_err()
                .contains("at most 63")
        );
        assert!(read(b"\xff\xfee\0n\0").unwrap_err().contains("not UTF-8"));
    }
}
