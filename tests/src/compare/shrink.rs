//! A scenario that differs, shrunk: steps are left out for as long as it still differs.
//! Asks about many candidates at once, because starting OTP takes longer than running them.

use crate::words::Words;

/// The scenario with the fewest steps that were found to do, where `differ` says of each of several whether it does: no
/// step of it can be left out. It gives up on a candidate that cannot be read.
///
/// # Errors
/// Whatever `differ` fails with.
pub fn shrunk<E>(line: &str, mut differ: impl FnMut(&[String]) -> Result<Vec<bool>, E>) -> Result<String, E> {
    let mut best = line.to_owned();
    loop {
        let candidates = shorter(&best);
        let differs = differ(&candidates)?;
        match candidates.into_iter().zip(differs).find(|(_, differs)| *differs) {
            Some((candidate, _)) => best = candidate,
            None => return Ok(best),
        }
    }
}

/// The scenario without some of its steps, the shortest first: all but the first few, half of them, each alone.
fn shorter(line: &str) -> Vec<String> {
    let Ok(Words::List(fields)) = Words::parse(line) else { return Vec::new() };
    let Some((at, steps)) = fields.iter().enumerate().find_map(|(at, field)| match field.call() {
        Some(("steps", steps)) => Some((at, steps)),
        _ => None,
    }) else {
        return Vec::new();
    };
    let count = steps.len();
    let halves = (1..count.min(4)).flat_map(|part| {
        let size = count.div_ceil(1 << part);
        (0..count).step_by(size.max(1)).map(move |from| (from, (from + size).min(count)))
    });
    let single = (0..count).map(|at| (at, at + 1));
    let mut left_out: Vec<(usize, usize)> = halves.chain(single).filter(|(from, to)| to > from).collect();
    left_out.sort_by_key(|(from, to)| (std::cmp::Reverse(to - from), *from));
    left_out.dedup();
    let without = |(from, to): (usize, usize)| {
        let mut fields = fields.clone();
        let kept = steps[..from].iter().chain(&steps[to..]).cloned();
        fields[at] = Words::List(std::iter::once(Words::Word("steps".to_owned())).chain(kept).collect());
        // Each by a name of its own: they are run together.
        if let Some(Words::Word(name)) = fields.get_mut(1) {
            *name = format!("{}.{from}-{to}", name.split('.').next().unwrap_or("it"));
        }
        Words::List(fields).to_string()
    };
    left_out.into_iter().map(without).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_what_it_takes() {
        let line = "(procs it (steps (a) (b) (c) (d) (e) (f) (g) (h) (i) (j)))";
        let needed = |scenario: &String| scenario.contains("(c)") && scenario.contains("(h)");
        let mut asked = 0;
        let shrunk = shrunk(line, |candidates| {
            asked += 1;
            Ok::<_, std::convert::Infallible>(candidates.iter().map(needed).collect())
        });
        let Ok(shrunk) = shrunk;
        assert!(shrunk.ends_with("(steps (c) (h)))"), "{shrunk}");
        assert!(asked < 8, "asked {asked} times");
    }

    #[test]
    fn what_does_not_shrink_is_left_as_it_is() {
        let line = "(procs it (steps (a) (b)))";
        let Ok(shrunk) =
            shrunk(line, |candidates| Ok::<_, std::convert::Infallible>(vec![false; candidates.len()]));
        assert_eq!(shrunk, line);
    }
}
