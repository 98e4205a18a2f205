//! The right word that somebody may have meant by a wrong one.

/// Words that people use for ours, which no count of letters would find.
const MEANT: [(&str, &str); 16] = [
    ("probability", "chance"),
    ("odds", "chance"),
    ("actor", "on"),
    ("path", "on"),
    ("at", "on"),
    ("where", "on"),
    ("duration", "for"),
    ("delay", "for"),
    ("lasting", "for"),
    ("count", "nth"),
    ("max", "limit"),
    ("times", "limit"),
    ("not_before", "after"),
    ("interval", "every"),
    ("do", "kind"),
    ("in_turn", "round_robin"),
];

/// The word nearest to `wrong`, if one is near enough to be meant: at most a third of its letters added, left out,
/// changed or swapped with their neighbours, whatever their case.
pub fn nearest<'a>(wrong: &str, words: &[&'a str]) -> Option<&'a str> {
    let wrong = wrong.to_lowercase();
    let distance = |word: &str| strsim::damerau_levenshtein(&wrong, &word.to_lowercase());
    let best = words.iter().map(|word| (distance(word), *word)).min_by_key(|(distance, _)| *distance);
    let near = best.filter(|(distance, word)| {
        let longest = wrong.chars().count().max(word.chars().count());
        *distance <= longest.div_ceil(3)
    });
    near.map(|(_, word)| word).or_else(|| {
        let (_, meant) = MEANT.iter().find(|(other, _)| *other == wrong)?;
        words.iter().copied().find(|word| word == meant)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near() {
        let words = ["panic-before", "panic-in", "kill", "slow", "nth", "limit", "chance"];
        let rows = [
            ("panic_before", Some("panic-before")),
            ("PanicIn", Some("panic-in")),
            ("kil", Some("kill")),
            ("nht", Some("nth")),
            ("limits", Some("limit")),
            ("probability", Some("chance")),
            ("not_before", None),
            ("earthquake", None),
            ("", None),
        ];
        for (wrong, expected) in rows {
            assert_eq!(nearest(wrong, &words), expected, "{wrong}");
        }
        assert_eq!(nearest("x", &[]), None);
    }
}
