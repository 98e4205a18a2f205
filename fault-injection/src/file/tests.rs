//! What is read and what is refused. A case is a row.

use std::time::Duration;

use crate::{Kind, Plan, fault, slow};

const FILE: &str = "plans/x.toml";

#[test]
fn what_a_file_says_is_what_is_planned() {
    let text = r#"
        name = "all there is"
        seed = 18446744073709551615
        [[fault]]
        kind = "panic-before"
        on = "a/b"
        nth = 3
        [[fault]]
        kind = ["error", "kill"]
        on = ["a/*", "b/**"]
        every = 1_000
        after = "2s"
        limit = 5
        [[fault]]
        kind = "slow"
        for = "1m 30s"
        on = "**"
        chance = 1
        message = "*Msg"
        [[fault]]
        kind = "kill"
        on = "**"
        every = "1s"
        round_robin = true
        [[fault]]
        kind = "hang"
        on = "**"
        every = "250ms"
        round_robin = false
    "#;
    let both = |kind| fault(kind).on_any(["a/*", "b/**"]).every(1_000).after(Duration::from_secs(2)).limit(5);
    let expected = Plan::seeded(u64::MAX)
        .called("all there is")
        .with(fault(Kind::PanicBefore).on("a/b").nth(3))
        .with_all([both(Kind::Error), both(Kind::Kill)])
        .with(slow(Duration::from_secs(90)).chance(1.0).message("*Msg"))
        .with(fault(Kind::Kill).in_turn(Duration::from_secs(1)))
        .with(fault(Kind::Hang).interval(Duration::from_millis(250)));
    let plan = Plan::from_toml(text, FILE).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(plan, expected);
    assert_eq!(Plan::from_toml(&plan.to_toml(), FILE), Ok(plan), "there and back");
}

#[test]
fn every_kind_and_every_when_goes_there_and_back() {
    for kind in Kind::ALL {
        let rules = [
            fault(kind).on("a/\"quoted\"").nth(u64::MAX),
            fault(kind).every(7).limit(3).on_any(["a", "b"]),
            fault(kind).chance(0.000_1).after(Duration::from_millis(1_500)),
            fault(kind).interval(Duration::from_nanos(3)),
            fault(kind).in_turn(Duration::from_secs(86_400)),
        ];
        let plan = Plan::seeded(7).with_all(rules);
        assert_eq!(Plan::from_toml(&plan.to_toml(), FILE), Ok(plan.clone()), "{}", plan.to_toml());
        let unseeded = Plan { seed: None, ..plan };
        assert_eq!(Plan::from_toml(&unseeded.to_toml(), FILE), Ok(unseeded));
    }
}

/// The lines before a row's own.
const HEAD: &str = "seed = 1\n\n[[fault]]\nkind = \"kill\"\non = \"a\"\n";

/// Text; line; key; what is wrong, expected, and the nearest word, if there is one.
type Row = (&'static str, usize, &'static str, &'static str, &'static str, Option<&'static str>);

/// What is wrong in a fault that begins with [`HEAD`], at line 6 or later.
const IN_A_FAULT: &[Row] = &[
    ("nht = 3", 6, "nht", "no such key", "kind, for, on", Some("nth")),
    ("every = 2\nlimits = 3", 7, "limits", "no such key", "round_robin", Some("limit")),
    ("probability = 0.1", 6, "probability", "no such key", "chance", Some("chance")),
    ("every = 2\ncolour = 3", 7, "colour", "no such key", "kind, for, on", None),
    ("", 3, "every", "missing", "exactly one of nth, every and chance", None),
    ("every = 2\nnth = 3", 7, "nth", "there is `every` already", "exactly one of", None),
    ("nth = 0", 6, "nth", "0 is out of bounds", "at least 1", None),
    ("nth = -4", 6, "nth", "-4 is out of bounds", "at least 1", None),
    ("nth = 1.5", 6, "nth", "this is a float", "a whole number", None),
    ("nth = \"3\"", 6, "nth", "this is a string", "a whole number", None),
    ("every = 0", 6, "every", "0 is out of bounds", "at least 1", None),
    ("every = true", 6, "every", "this is a boolean", "a whole number of at least 1, or a time", None),
    ("every = \"5 mss\"", 6, "every", "no unit `mss`", "a time in quotes", Some("ms")),
    ("every = \"1\"", 6, "every", "has no unit", "a time in quotes", None),
    ("every = \"0s\"", 6, "every", "no time at all", "a time in quotes", None),
    ("every = \"soon\"", 6, "every", "`soon` is no time", "such as \"5ms\"", None),
    ("chance = 1.5", 6, "chance", "1.5 is no probability", "at most 1", None),
    ("chance = 0", 6, "chance", "0 is no probability", "more than 0", None),
    ("chance = nan", 6, "chance", "nan is no probability", "at most 1", None),
    ("chance = \"often\"", 6, "chance", "this is a string", "a probability", None),
    ("every = 2\nafter = 2", 7, "after", "this is an integer", "a time in quotes", None),
    ("every = 2\nafter = \"2 sconds\"", 7, "after", "no unit `sconds`", "a time in quotes", Some("seconds")),
    ("every = 2\nlimit = 0", 7, "limit", "out of bounds", "at least 1", None),
    ("every = 2\nlimit = [3]", 7, "limit", "this is an array", "at least 1", None),
    ("every = 2\nmessage = \"\"", 7, "message", "empty name", "a message type", None),
    ("every = 2\nmessage = 7", 7, "message", "this is an integer", "a message type", None),
    ("every = 2\nfor = \"5ms\"", 7, "for", "only a slow fault lasts", "kind = \"slow\"", None),
    ("every = 2\nround_robin = true", 7, "round_robin", "turns need a time", "every = \"1s\"", None),
    ("nth = 2\nround_robin = true", 7, "round_robin", "turns need a time", "every = \"1s\"", None),
    ("every = \"1s\"\nround_robin = \"yes\"", 7, "round_robin", "this is a string", "true or false", None),
    ("every = 2\nevery = 3", 7, "every", "duplicate key", "each key once", None),
    ("every 2", 6, "every 2", "this is not TOML", "`=`", None),
    ("every = \"2s", 6, "every", "this is not TOML", "`\"`", None),
    ("every = ", 6, "every", "this is not TOML", "", None),
];

/// What is wrong in whole files.
const FILES: &[Row] = &[
    ("", 1, "fault", "there is none", "[[fault]]", None),
    ("seed = 3", 1, "fault", "there is none", "[[fault]]", None),
    (
        "[[faults]]\nkind = \"kill\"",
        1,
        "faults",
        "a plan has no such key",
        "name, seed, fault",
        Some("fault"),
    ),
    ("[fault]\nkind = \"kill\"", 1, "fault", "this is a table", "write [[fault]]", None),
    ("fault = [1]", 1, "fault", "this is an integer", "write [[fault]]", None),
    (
        "sede = 3\n[[fault]]\nkind = \"kill\"\non = \"a\"\nnth = 1",
        1,
        "sede",
        "no such key",
        "seed",
        Some("seed"),
    ),
    ("seed = -1\n[[fault]]\nkind = \"kill\"\non = \"a\"\nnth = 1", 1, "seed", "-1 is out", "from 0 to", None),
    (
        "name = 1\n[[fault]]\nkind = \"kill\"\non = \"a\"\nnth = 1",
        1,
        "name",
        "an integer",
        "a text in quotes",
        None,
    ),
    ("[[fault]]\non = \"a\"\nnth = 1", 1, "kind", "missing", "panic-before, panic-in", None),
    (
        "[[fault]]\nkind = \"panic_before\"\non = \"a\"\nnth = 1",
        2,
        "kind",
        "no kind",
        "supervisor-step",
        Some("panic-before"),
    ),
    (
        "[[fault]]\nkind = [\"kill\", \"kil\"]\non = \"a\"\nnth = 1",
        2,
        "kind",
        "no kind `kil`",
        "one of",
        Some("kill"),
    ),
    (
        "[[fault]]\nkind = \"earthquake\"\non = \"a\"\nnth = 1",
        2,
        "kind",
        "no kind `earthquake`",
        "one of",
        None,
    ),
    ("[[fault]]\nkind = 3\non = \"a\"\nnth = 1", 2, "kind", "this is an integer", "one of", None),
    ("[[fault]]\nkind = []\non = \"a\"\nnth = 1", 2, "kind", "the list is empty", "one of", None),
    ("[[fault]]\nkind = \"kill\"\nnth = 1", 1, "on", "missing", "a pattern of actor paths", None),
    (
        "[[fault]]\nkind = \"kill\"\non = \"a//b\"\nnth = 1",
        3,
        "on",
        "`a//b` has a segment",
        "single slashes",
        None,
    ),
    ("[[fault]]\nkind = \"kill\"\non = [\"a\", 7]\nnth = 1", 3, "on", "an integer", "a pattern", None),
    ("[[fault]]\nkind = \"kill\"\non = []\nnth = 1", 3, "on", "the list is empty", "a pattern", None),
    ("[[fault]]\nkind = \"slow\"\non = \"a\"\nnth = 1", 1, "for", "missing", "how long", None),
    (
        "[[fault]]\nkind = \"slow\"\nfor = 5\non = \"a\"\nnth = 1",
        3,
        "for",
        "an integer",
        "a time in quotes",
        None,
    ),
    (
        "[[fault]]\nkind = \"failed-start\"\non = \"a\"\nnth = 1\nmessage = \"M\"",
        5,
        "message",
        "no message is in hand",
        "strike messages",
        None,
    ),
];

#[test]
fn a_bad_file_hears_where_and_what_and_what_was_meant() {
    let in_a_fault = IN_A_FAULT.iter().map(|row| (format!("{HEAD}{}\n", row.0), row));
    let rows = in_a_fault.chain(FILES.iter().map(|row| (row.0.to_owned(), row)));
    for (text, (_, line, key, wrong, expected, near)) in rows {
        let error = Plan::from_toml(&text, FILE).expect_err(&text);
        println!("{error}");
        let says = error.to_string();
        assert_eq!(error.problems().len(), 1, "one mistake, one problem:\n{text}\n{says}");
        let problem = &error.problems()[0];
        assert_eq!((problem.line, problem.key.as_str()), (*line, *key), "{text}\n{says}");
        assert!(problem.wrong.contains(wrong), "{wrong}:\n{text}\n{says}");
        assert!(
            !problem.expected.is_empty() && problem.expected.contains(expected),
            "{expected}:\n{text}\n{says}"
        );
        assert_eq!(problem.nearest.as_deref(), *near, "{text}\n{says}");
        // The text for people has it all.
        let place = format!("{FILE}:{line}:{}: `{key}`", problem.column);
        assert!(says.starts_with(&place) && says.contains("expected "), "{says}");
        assert!(near.is_none_or(|near| says.ends_with(&format!("did you mean `{near}`?"))), "{says}");
    }
}

#[test]
fn all_mistakes_are_named_at_once_in_the_order_of_the_file() {
    let text = "sede = 1\n[[fault]]\nkind = \"kil\"\non = \"a\"\nnth = 0\n[[fault]]\nkind = \"kill\"\non = \"ä//\"\nevry = 3\n";
    let error = Plan::from_toml(text, FILE).expect_err("it is full of them");
    let found: Vec<_> = error.problems().iter().map(|p| (p.line, p.fault, p.key.as_str())).collect();
    let expected = [
        (1, None, "sede"),
        (3, Some(1), "kind"),
        (5, Some(1), "nth"),
        (8, Some(2), "on"),
        (9, Some(2), "evry"),
    ];
    assert_eq!(found, expected, "{error}");
    assert_eq!(error.file(), FILE);
    let text = "a = \"ä\" \u{fc}\n";
    let error = Plan::from_toml(text, FILE).expect_err("it is no TOML");
    assert_eq!(
        (error.problems()[0].line, error.problems()[0].column),
        (1, 9),
        "columns are characters: {error}"
    );
}
