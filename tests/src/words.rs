//! Nested words: a line of text as a tree of words and lists, and back.

use std::fmt;

/// A word, or a list of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Words {
    Word(String),
    List(Vec<Words>),
}

impl Words {
    /// The one list that this line is.
    ///
    /// # Errors
    /// What was expected, if it is anything else.
    pub(crate) fn parse(line: &str) -> Result<Self, String> {
        let mut stack: Vec<Vec<Self>> = Vec::new();
        let mut rest = line.trim_start();
        loop {
            let end = rest.find(|c: char| c.is_whitespace() || c == '(' || c == ')').unwrap_or(rest.len());
            match (rest.chars().next(), stack.last_mut()) {
                (None, _) => return Err(format!("{} more `)`", stack.len())),
                (Some('('), _) => {
                    stack.push(Vec::new());
                    rest = &rest[1..];
                }
                (Some(_), None) => return Err(format!("`(` before `{rest}`")),
                (Some(')'), Some(_)) => {
                    rest = &rest[1..];
                    let list = Self::List(stack.pop().expect("it has a last list"));
                    match stack.last_mut() {
                        Some(outer) => outer.push(list),
                        None if rest.trim().is_empty() => return Ok(list),
                        None => return Err(format!("the end of the line instead of `{}`", rest.trim())),
                    }
                }
                (Some(_), Some(list)) => {
                    list.push(Self::Word(rest[..end].to_owned()));
                    rest = &rest[end..];
                }
            }
            rest = rest.trim_start();
        }
    }

    pub(crate) fn word(&self) -> Option<&str> {
        match self {
            Self::Word(word) => Some(word),
            Self::List(_) => None,
        }
    }

    pub(crate) fn list(&self) -> Option<&[Self]> {
        match self {
            Self::Word(_) => None,
            Self::List(list) => Some(list),
        }
    }

    /// The first word and what follows it, if this is a list that begins with a word.
    pub(crate) fn call(&self) -> Option<(&str, &[Self])> {
        let (first, rest) = self.list()?.split_first()?;
        Some((first.word()?, rest))
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Word(word) => f.write_str(word),
            Self::List(list) => {
                f.write_str("(")?;
                for (place, words) in list.iter().enumerate() {
                    let space = if place == 0 { "" } else { " " };
                    write!(f, "{space}{words}")?;
                }
                f.write_str(")")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_what_is_written() {
        let rows = [
            ("(a (b  c) ())", Ok("(a (b c) ())")),
            ("(a", Err("1 more `)`")),
            ("((a)", Err("1 more `)`")),
            ("(a) b", Err("the end of the line instead of `b`")),
            ("a", Err("`(` before `a`")),
            ("", Err("0 more `)`")),
        ];
        for (line, expected) in rows {
            let read = Words::parse(line).map(|words| words.to_string());
            assert_eq!(read, expected.map(str::to_owned).map_err(str::to_owned), "{line}");
        }
    }
}
