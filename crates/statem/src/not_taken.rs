//! An event that no clause takes: a crash that says which event, and in which state, by name alone. What they hold may
//! be large, or secret.

use std::error::Error;
use std::fmt::{self, Debug, Write};

/// An event came that its state does not take. See [`not_taken`](crate::not_taken).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotTaken {
    state: String,
    event: String,
}

impl NotTaken {
    pub(crate) fn new(state: &impl Debug, event: String) -> Self {
        Self { state: name_of(state), event }
    }

    /// The state's name.
    pub fn state(&self) -> &str {
        &self.state
    }

    /// The event's name.
    pub fn event(&self) -> &str {
        &self.event
    }
}

impl fmt::Display for NotTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is not taken in state {}", self.event, self.state)
    }
}

impl Error for NotTaken {}

/// The name that a value's `Debug` begins with: that of its variant, as a rule.
pub(crate) fn name_of<T: Debug>(value: &T) -> String {
    let mut name = Name(String::new());
    // An error is how the name says that it is complete.
    let _ = write!(name, "{value:?}");
    if name.0.is_empty() { std::any::type_name::<T>().to_owned() } else { name.0 }
}

struct Name(String);

impl Write for Name {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        // States and events may be plain words.
        let text = if self.0.is_empty() { text.strip_prefix('"').unwrap_or(text) } else { text };
        let part = text.find(|c: char| !c.is_alphanumeric() && c != '_').map_or(text, |end| &text[..end]);
        self.0.push_str(part);
        if part.len() == text.len() { Ok(()) } else { Err(fmt::Error) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    #[expect(dead_code, reason = "read by Debug alone")]
    enum Event {
        Push,
        Coin(u32),
        Card { number: &'static str },
    }

    #[test]
    fn a_name_ends_where_the_data_begin() {
        let rows = [
            (name_of(&Event::Push), "Push"),
            (name_of(&Event::Coin(5)), "Coin"),
            (name_of(&Event::Card { number: "secret" }), "Card"),
            (name_of(&7_u32), "7"),
            (name_of(&()), "()"),
            (name_of(&"a word"), "a"),
            (name_of(&Some(Event::Push)), "Some"),
        ];
        for (name, expected) in rows {
            assert_eq!(name, expected);
        }
    }
}
