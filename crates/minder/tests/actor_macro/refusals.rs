//! What is refused, and what is said about it: each file in `tests/wrong_uses` with the words beside it.

/// The compiler whose words stand beside the files in `by_the_compiler`.
const WRITTEN_WITH: &str = "rustc 1.95.";

/// The macro's own words are compared with every compiler. What only a compiler can find is always refused, but each
/// version says so in words of its own: those are compared with one.
#[test]
fn wrong_uses_are_told_where_they_stand() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/wrong_uses/*.rs");
    if compiler().starts_with(WRITTEN_WITH) {
        cases.compile_fail("tests/wrong_uses/by_the_compiler/*.rs");
    }
}

fn compiler() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version =
        std::process::Command::new(rustc).arg("--version").output().expect("a compiler built this test");
    String::from_utf8(version.stdout).expect("a version is text")
}
