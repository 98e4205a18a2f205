//! Reads the rows: what OTP promises in our own words, and what the rows say about themselves. The format stands at the
//! head of `tests/otp/rows.txt`.

/// A part of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// What it is about.
    pub heading: String,
    /// Its rows, in order.
    pub rows: Vec<Row>,
}

/// One promise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// `SUP-001`.
    pub name: String,
    /// Whether nobody can claim OTP's semantics without it.
    pub core: bool,
    /// What OTP does.
    pub promise: String,
    /// The scenarios that show it.
    pub scenarios: Vec<String>,
    /// Why it is not simply equal.
    pub exception: Option<Exception>,
}

/// Why a row is not simply equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exception {
    /// We do otherwise on purpose.
    Differs(String),
    /// It means nothing here.
    NotApplicable(String),
    /// It is missing.
    NotYet(String),
}

impl Exception {
    /// The reason.
    pub fn reason(&self) -> &str {
        match self {
            Self::Differs(reason) | Self::NotApplicable(reason) | Self::NotYet(reason) => reason,
        }
    }
}

/// Reads them.
///
/// # Errors
/// The first line that is none, with its number and what it should have been.
pub fn parts(text: &str) -> Result<Vec<Part>, String> {
    let mut parts: Vec<Part> = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let wrong = |expected: &str| format!("line {}: expected {expected}: {line}", index + 1);
        if let Some(heading) = line.strip_prefix("## ") {
            parts.push(Part { heading: heading.to_owned(), rows: Vec::new() });
        } else if line.is_empty() || line.starts_with('#') {
        } else if let Some(more) = line.strip_prefix("  ") {
            let row = parts.last_mut().and_then(|part| part.rows.last_mut());
            let row = row.ok_or_else(|| wrong("a row above"))?;
            add(row, more).map_err(wrong)?;
        } else {
            let part = parts.last_mut().ok_or_else(|| wrong("a heading above"))?;
            part.rows.push(row(line).ok_or_else(|| wrong("`NAME: promise` or `NAME core: promise`"))?);
        }
    }
    Ok(parts)
}

/// Whether this is the name of a row: capital letters, a hyphen, three digits.
pub(super) fn is_name(word: &str) -> bool {
    word.split_once('-').is_some_and(|(family, number)| {
        !family.is_empty()
            && family.bytes().all(|byte| byte.is_ascii_uppercase())
            && number.len() == 3
            && number.bytes().all(|byte| byte.is_ascii_digit())
    })
}

fn row(line: &str) -> Option<Row> {
    let (head, promise) = line.split_once(": ")?;
    let (name, core) = head.strip_suffix(" core").map_or((head, false), |name| (name, true));
    let promise = promise.trim();
    (is_name(name) && !promise.is_empty()).then(|| Row {
        name: name.to_owned(),
        core,
        promise: promise.to_owned(),
        scenarios: Vec::new(),
        exception: None,
    })
}

/// What is said about a row, below it; or what was expected.
fn add(row: &mut Row, more: &str) -> Result<(), &'static str> {
    if let Some(names) = more.strip_prefix("by ") {
        row.scenarios.extend(names.split(", ").map(str::to_owned));
        return Ok(());
    }
    let (kind, reason) = more.split_once(": ").ok_or("`by`, `differs:`, `n/a:` or `not yet:`")?;
    let exception = match kind {
        "differs" => Exception::Differs,
        "n/a" => Exception::NotApplicable,
        "not yet" => Exception::NotYet,
        _ => return Err("`by`, `differs:`, `n/a:` or `not yet:`"),
    };
    if row.exception.replace(exception(reason.to_owned())).is_some() {
        return Err("one reason");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_say_what_they_are() {
        let read =
            parts("# Why.\n\n## A Part\nSUP-001 core: One: two.\n  by a, b\n  differs: so\nGS-002: Two.\n")
                .expect("they are rows");
        let row = |name: &str, core, promise: &str, scenarios: &[&str], exception| Row {
            name: name.into(),
            core,
            promise: promise.into(),
            scenarios: scenarios.iter().map(|name| (*name).to_owned()).collect(),
            exception,
        };
        let rows = vec![
            row("SUP-001", true, "One: two.", &["a", "b"], Some(Exception::Differs("so".into()))),
            row("GS-002", false, "Two.", &[], None),
        ];
        assert_eq!(read, [Part { heading: "A Part".into(), rows }]);
    }

    #[test]
    fn what_is_no_row_is_refused_with_its_line() {
        let rows = [
            ("SUP-001: One.\n", "line 1: expected a heading"),
            ("## A\nSUP-1: One.\n", "line 2: expected `NAME: promise`"),
            ("## A\nSUP-001 quirk: One.\n", "line 2: expected `NAME: promise`"),
            ("## A\nSUP-001:\n", "line 2: expected `NAME: promise`"),
            ("## A\n  by a\n", "line 2: expected a row above"),
            ("## A\nSUP-001: One.\n  because: a\n", "line 3: expected `by`"),
            ("## A\nSUP-001: One.\n  n/a: a\n  differs: b\n", "line 4: expected one reason"),
        ];
        for (text, expected) in rows {
            let wrong = parts(text).expect_err(text);
            assert!(wrong.starts_with(expected), "{text}: {wrong}");
        }
    }
}
