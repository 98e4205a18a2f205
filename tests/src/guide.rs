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
    tests: "guide/tests.md",
    service: "guide/service.md",
}
