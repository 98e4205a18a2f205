//! How many lines a user writes: counts what stands between marks in `examples/`, after rustfmt with its defaults,
//! and holds it against the bars. Exits with 1 if one is not met, 2 if something cannot be counted.
//!
//! A part begins behind a line `// counted: NAME` and ends before `// until here`. Blank lines, comments and `use` do
//! not count. The bars are constants here: whoever wants another one changes it where everybody sees it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};

use minder_tests::sources;

/// What is counted, and at most how many lines it may take.
const BARS: &[(&str, usize)] = &[
    ("a counter with tell and ask", 10),
    ("three children, rest-for-one, with limits", 8),
    ("monitoring another actor", 1),
    ("a test of a crash and the restart", 6),
];

const BEGIN: &str = "// counted: ";
const END: &str = "// until here";

fn main() -> ExitCode {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    match count(&examples) {
        Ok(parts) => {
            let (table, all_met) = report(&parts);
            print!("{table}");
            if all_met { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(2)
        }
    }
}

struct Part {
    name: String,
    lines: usize,
    file: String,
}

/// Every part in every source file of the examples.
fn count(examples: &Path) -> Result<Vec<Part>, String> {
    let files = sources(examples).map_err(|error| format!("{}: {error}", examples.display()))?;
    let mut parts = Vec::new();
    for file in files {
        let shown = file.strip_prefix(examples).unwrap_or(&file).display().to_string();
        let source = fs::read_to_string(&file).map_err(|error| format!("{shown}: {error}"))?;
        if source.contains(BEGIN) {
            let formatted = formatted(&file).map_err(|error| format!("{shown}: rustfmt: {error}"))?;
            parts.extend(parts_of(&shown, &formatted)?);
        }
    }
    Ok(parts)
}

/// The file as rustfmt writes it where nobody has told it otherwise.
fn formatted(file: &Path) -> Result<String, String> {
    let elsewhere = tempfile::tempdir().map_err(|error| error.to_string())?;
    let defaults = elsewhere.path().join("rustfmt.toml");
    fs::write(&defaults, "").map_err(|error| error.to_string())?;
    let output = Command::new("rustfmt")
        .args(["--edition", "2024", "--emit", "stdout", "--quiet", "--config-path"])
        .arg(defaults)
        .stdin(fs::File::open(file).map_err(|error| error.to_string())?)
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    String::from_utf8(output.stdout).map_err(|error| error.to_string())
}

fn parts_of(file: &str, source: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut open: Option<Part> = None;
    for line in source.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix(BEGIN) {
            if let Some(part) = open {
                return Err(format!("{file}: `{}` has no end before `{name}` begins", part.name));
            }
            open = Some(Part { name: name.to_owned(), lines: 0, file: file.to_owned() });
        } else if line == END {
            parts.push(open.take().ok_or_else(|| format!("{file}: an end without a beginning"))?);
        } else if let Some(part) = &mut open
            && !line.is_empty()
            && !line.starts_with("//")
            && !line.starts_with("use ")
        {
            part.lines += 1;
        }
    }
    match open {
        Some(part) => Err(format!("{file}: `{}` has no end", part.name)),
        None => Ok(parts),
    }
}

/// The table, and whether every bar is met: by a part that is there, is not empty, and stands once.
fn report(parts: &[Part]) -> (String, bool) {
    let mut table = String::new();
    let mut all_met = true;
    for (name, bar) in BARS {
        let found: Vec<&Part> = parts.iter().filter(|part| part.name == *name).collect();
        let (verdict, is_met) = match found[..] {
            [part] => {
                let is_met = (1..=*bar).contains(&part.lines);
                let met = if is_met { "met" } else { "NOT MET" };
                (format!("{:>2} of {bar:>2}  {met:<7}  {}", part.lines, part.file), is_met)
            }
            _ => (format!("stands {} times, not once", found.len()), false),
        };
        all_met &= is_met;
        let _ = writeln!(table, "{name:<44}{verdict}");
    }
    for part in parts.iter().filter(|part| BARS.iter().all(|(name, _)| *name != part.name)) {
        all_met = false;
        let _ = writeln!(table, "{:<44}has no bar: {}", part.name, part.file);
    }
    (table, all_met)
}

#[cfg(test)]
mod tests {
    use super::{BARS, parts_of, report};

    #[test]
    fn only_code_between_the_marks_counts() {
        let source = "let no = 1;\n// counted: x\nuse a::b;\n\n// why\nlet yes = 2;\n    }\n// until here\nlet no = 3;";
        let parts = parts_of("f.rs", source).expect("it is well formed");
        assert_eq!(parts.iter().map(|part| (part.name.as_str(), part.lines)).collect::<Vec<_>>(), [("x", 2)]);
    }

    #[test]
    fn marks_that_do_not_match_are_errors() {
        for source in ["// until here", "// counted: x", "// counted: x\n// counted: y\n// until here"] {
            assert!(parts_of("f.rs", source).is_err(), "{source}");
        }
    }

    #[test]
    fn a_part_that_is_missing_empty_too_long_or_there_twice_is_not_met() {
        let marked = |lines: usize| {
            let part = |(name, _): &(&str, usize)| {
                format!("// counted: {name}\n{}// until here\n", "x\n".repeat(lines))
            };
            BARS.iter().map(part).collect::<String>()
        };
        let is_met = |source: &str| report(&parts_of("f.rs", source).expect("it is well formed")).1;
        assert!(is_met(&marked(1)));
        assert!(!is_met(""));
        assert!(!is_met(&marked(0)));
        assert!(!is_met(&marked(2)));
        assert!(!is_met(&marked(1).repeat(2)));
        assert!(!is_met(&(marked(1) + "// counted: something else\nx\n// until here\n")));
    }
}
