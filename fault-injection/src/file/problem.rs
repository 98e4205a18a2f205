//! Why a plan's file was refused: all that is wrong with it, each with its place and what would be right.

use std::fmt;

/// A file that is no plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanError {
    file: String,
    problems: Vec<Problem>,
}

/// One thing that is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// The character in the line, from 1.
    pub column: usize,
    /// The key that it is about, as it is written.
    pub key: String,
    /// The how manyth `[[fault]]` it is in, from 1, if it is in one.
    pub fault: Option<usize>,
    /// What is wrong.
    pub wrong: String,
    /// What would be right.
    pub expected: String,
    /// The nearest right word, if one is near.
    pub nearest: Option<String>,
}

impl PlanError {
    pub(crate) fn new(file: &str, mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| (problem.line, problem.column));
        Self { file: file.to_owned(), problems }
    }

    /// The file's name, as it was given.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Everything that is wrong, in the order of the file; at least one. A file that is no TOML is not looked at any
    /// further.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            let Problem { line, column, .. } = problem;
            write!(f, "{}:{line}:{column}: {problem}", self.file)?;
        }
        Ok(())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, fault, wrong, expected, nearest, .. } = self;
        write!(f, "`{key}`")?;
        if let Some(fault) = fault {
            write!(f, " of fault {fault}")?;
        }
        write!(f, ": {wrong}; expected {expected}")?;
        match nearest {
            Some(word) => write!(f, "; did you mean `{word}`?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for PlanError {}

/// The line and the character of a byte of the text, both from 1.
pub(crate) fn place(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (1 + before.matches('\n').count(), 1 + before[line_start..].chars().count())
}
