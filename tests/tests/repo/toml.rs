//! As much TOML as our own manifests and `deny.toml` use: `[section]`, `key = value`, and arrays with one entry a line.
//! Anything else is a panic, so that a rule never silently reads nothing. Not a TOML parser, and not to become one.

/// The lines of `[name]`, trimmed, without comments and empty lines.
pub(crate) fn section<'t>(text: &'t str, name: &str) -> Vec<&'t str> {
    let header = format!("[{name}]");
    text.lines()
        .map(|line| without_comment(line).trim())
        .skip_while(|line| *line != header)
        .skip(1)
        .take_while(|line| !line.starts_with('['))
        .filter(|line| !line.is_empty())
        .collect()
}

/// The entries of `key = [ … ]` in a section, one a line, without the comma.
pub(crate) fn array<'t>(section: &[&'t str], key: &str) -> Vec<&'t str> {
    let opening = format!("{key} = [");
    let begin = section.iter().position(|line| *line == opening);
    let begin = begin.unwrap_or_else(|| panic!("no line `{opening}`"));
    let entries = &section[begin + 1..];
    let end = entries.iter().position(|line| *line == "]");
    let end = end.unwrap_or_else(|| panic!("`{opening}` is not closed by a line `]`"));
    entries[..end].iter().map(|line| line.trim_end_matches(',')).collect()
}

/// The text of `"…"`.
pub(crate) fn string(entry: &str) -> &str {
    let inner = entry.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or_else(|| panic!("not a string: {entry}"))
}

/// The text behind `key` in `{ key = "…", … }`.
pub(crate) fn field<'t>(entry: &'t str, key: &str) -> Option<&'t str> {
    let opening = format!("{key} = \"");
    let begin = entry.find(&opening)? + opening.len();
    let length = entry[begin..].find('"')?;
    Some(&entry[begin..begin + length])
}

fn without_comment(line: &str) -> &str {
    let mut quoted = false;
    for (at, character) in line.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '#' if !quoted => return &line[..at],
            _ => {}
        }
    }
    line
}

#[test]
fn reads_what_our_files_use() {
    let text = "[a]\nlist = [\n  \"x\", # why\n  { id = \"y # z\", reason = \"w\" },\n]\nempty = [\n]\n[b]\nlist = 1\n";
    let a = section(text, "a");
    let list = array(&a, "list");
    assert_eq!(string(list[0]), "x");
    assert_eq!(field(list[1], "id"), Some("y # z"));
    assert_eq!(field(list[1], "owner"), None);
    assert!(array(&a, "empty").is_empty());
    assert_eq!(section(text, "b"), ["list = 1"]);
    assert!(section(text, "c").is_empty());
}

#[test]
#[should_panic(expected = "no line `skip = [`")]
fn a_list_that_is_not_there_is_not_an_empty_list() {
    array(&section("[bans]\nskip = []\n", "bans"), "skip");
}
