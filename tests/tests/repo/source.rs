//! Rust source with its comments and the text of its literals blanked out, so that a rule about code finds code.
//! Lines and columns stay where they were. Knows tokens, not grammar.

/// The code of `source`; everything else is spaces.
pub(crate) fn code(source: &str) -> String {
    let mut view = View { rest: source, out: String::with_capacity(source.len()) };
    while let Some(character) = view.rest.chars().next() {
        let after_word = view.out.chars().next_back().is_some_and(is_word);
        match character {
            '/' if view.rest.starts_with("//") => view.blank(view.rest.find('\n').unwrap_or(view.rest.len())),
            '/' if view.rest.starts_with("/*") => view.blank(comment(view.rest)),
            'r' | 'b' | 'c' if !after_word && raw_string(view.rest).is_some() => {
                view.blank(raw_string(view.rest).expect("looked at above"));
            }
            '"' => view.blank(quoted(view.rest, '"')),
            '\'' => match char_literal(view.rest) {
                Some(length) => view.blank(length),
                None => view.keep(1), // a lifetime
            },
            _ => view.keep(character.len_utf8()),
        }
    }
    view.out
}

/// The numbers (from 1) of the lines of `code` that hold `needle`, not as the tail of a longer word.
pub(crate) fn lines_with(code: &str, needle: &str) -> Vec<usize> {
    let holds = |line: &str| {
        line.match_indices(needle).any(|(at, _)| !line[..at].chars().next_back().is_some_and(is_word))
    };
    code.lines().enumerate().filter(|(_, line)| holds(line)).map(|(index, _)| index + 1).collect()
}

struct View<'s> {
    rest: &'s str,
    out: String,
}

impl View<'_> {
    fn keep(&mut self, length: usize) {
        self.out.push_str(&self.rest[..length]);
        self.rest = &self.rest[length..];
    }

    fn blank(&mut self, length: usize) {
        let blanked = self.rest[..length].chars().map(|c| if c == '\n' { '\n' } else { ' ' });
        self.out.extend(blanked);
        self.rest = &self.rest[length..];
    }
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// Length of the block comment that `text` begins with; they nest.
fn comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// Length of the literal that `text` begins with, up to and with the closing quote.
fn quoted(text: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if character == quote => return at + character.len_utf8(),
            _ => {}
        }
    }
    text.len()
}

/// Length of a raw string `r#"…"#`, also `br` and `cr`, if `text` begins with one; `r#type` is not one.
fn raw_string(text: &str) -> Option<usize> {
    let opened = text.strip_prefix(['b', 'c']).unwrap_or(text).strip_prefix('r')?;
    let inner = opened.trim_start_matches('#');
    let hashes = opened.len() - inner.len();
    let inner = inner.strip_prefix('"')?;
    let closing = format!("\"{}", "#".repeat(hashes));
    let length = inner.find(&closing).map_or(inner.len(), |at| at + closing.len());
    Some(text.len() - inner.len() + length)
}

/// Length of a character literal; `None` for a lifetime.
fn char_literal(text: &str) -> Option<usize> {
    let mut characters = text.char_indices().skip(1);
    let (_, first) = characters.next()?;
    let (at, second) = characters.next()?;
    if first == '\\' { Some(quoted(text, '\'')) } else { (second == '\'').then_some(at + 1) }
}

#[test]
fn only_code_is_left() {
    let rows = [
        ("a // b\nc", "a     \nc"),
        ("a /* b /* c */ d */ e", "a                   e"),
        (r#"f("g\"h", i)"#, "f(      , i)"),
        (r##"r#"a"b"# c r#type"##, "         c r#type"),
        ("br\"x\" for\"y\"", "      for   "),
        ("'a' 'x '\\'' '\"'", "    'x         "),
        ("&'static str", "&'static str"),
    ];
    for (source, expected) in rows {
        assert_eq!(code(source).trim_end(), expected.trim_end(), "{source}");
        assert_eq!(code(source).chars().count(), source.chars().count(), "{source}");
    }
}

#[test]
fn a_needle_is_no_tail_of_a_word() {
    assert_eq!(lines_with("a\nxtime::y\nb::time::y", "time::y"), [3]);
}
