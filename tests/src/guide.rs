//! The guide's pages, so that their examples are compiled and run with the other documentation tests.

macro_rules! pages {
    ($($name:ident: $path:literal),+ $(,)?) => {
        $(
            #[doc = include_str!(concat!("../../docs/", $path))]
            mod $name {}
        )+
    };
}

pages! {
    hello: "guide/hello.md",
    tree: "guide/tree.md",
    crashes: "guide/crashes.md",
    day: "guide/day.md",
    machines: "guide/machines.md",
    talking: "guide/talking.md",
    tests: "guide/tests.md",
    explain: "guide/explain.md",
    service: "guide/service.md",
}
