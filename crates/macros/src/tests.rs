//! What can be tested without a compiler: names against the runtime's, and what is kept of parameters and types.

use std::collections::BTreeSet;
use std::path::Path;

use proc_macro2::TokenStream;
use quote::{ToTokens, format_ident, quote};
use syn::{Generics, ImplItem, Item, ItemImpl, Type, Visibility, parse_quote};

use crate::generics::used;
use crate::names::{OF_ADDRESSES, pascal};
use crate::types::{bound, without_self};

/// The public methods of `Addr`, as its source has them.
fn methods_of_addresses() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/src");
    let files = std::fs::read_dir(folder).expect("the runtime stands beside this package");
    let mut methods = BTreeSet::new();
    for file in files {
        let path = file.expect("its folder can be read").path();
        if path.extension().is_none_or(|extension| extension != "rs") {
            continue;
        }
        let text = std::fs::read_to_string(path).expect("its files can be read");
        let file = syn::parse_file(&text).expect("it compiles");
        for item in file.items {
            let Item::Impl(ItemImpl { trait_: None, self_ty, items, .. }) = item else { continue };
            if !self_ty.to_token_stream().to_string().starts_with("Addr <") {
                continue;
            }
            methods.extend(items.into_iter().filter_map(|item| match item {
                ImplItem::Fn(method) if matches!(method.vis, Visibility::Public(_)) => {
                    Some(method.sig.ident.to_string())
                }
                _ => None,
            }));
        }
    }
    methods
}

#[test]
fn no_message_hides_behind_a_method_of_addresses() {
    let known: BTreeSet<String> = OF_ADDRESSES.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(methods_of_addresses(), known, "keep `OF_ADDRESSES` in names.rs as the runtime has them");
}

#[test]
fn structs_are_named_after_methods() {
    let rows = [
        ("deposit", None, "Deposit"),
        ("deposit_all", None, "DepositAll"),
        ("_odd__name_", None, "OddName"),
        ("read_2nd", Some("Disk"), "DiskRead2nd"),
        ("émettre", None, "Émettre"),
        ("r#type", None, "Type"),
    ];
    for (method, prefix, expected) in rows {
        let method = match method.strip_prefix("r#") {
            Some(raw) => proc_macro2::Ident::new_raw(raw, proc_macro2::Span::call_site()),
            None => format_ident!("{method}"),
        };
        let prefix = prefix.map(|prefix| format_ident!("{prefix}"));
        assert_eq!(pascal(&method, prefix.as_ref()), expected);
    }
}

#[test]
fn a_message_has_the_parameters_it_names() {
    let block: ItemImpl = parse_quote! {
        impl<T: Send + Into<U>, U: Copy, const N: usize> A<T, U, N> where T: Clone, U: Into<T>, String: From<T> {}
    };
    let rows: [(TokenStream, &str); 5] = [
        (quote!(u8), ""),
        (quote!(Vec<T>), "< T : Send > where T : Clone , String : From < T >"),
        (quote!(Option<(U, u8)>), "< U : Copy >"),
        (quote!([u8; N]), "< const N : usize >"),
        (
            quote!([T; N], U),
            "< T : Send + Into < U > , U : Copy , const N : usize > where T : Clone , U : Into < T > , String : From < \
             T >",
        ),
    ];
    for (tokens, expected) in rows {
        let kept = used(&block.generics, &tokens);
        let clause = &kept.where_clause;
        let mut written = Generics { where_clause: None, ..kept.clone() }.to_token_stream().to_string();
        if let Some(clause) = clause {
            written = format!("{written} {}", clause.to_token_stream());
        }
        assert_eq!(written, expected, "of {tokens}");
    }
}

#[test]
fn borrows_are_found_wherever_they_stand() {
    let rows: [(Type, bool); 15] = [
        (parse_quote!(u8), false),
        (parse_quote!(&str), true),
        (parse_quote!(&'static str), false),
        (parse_quote!(&'static [&u8]), true),
        (parse_quote!(Vec<(u8, [&str; 2])>), true),
        (parse_quote!(Cow<'a, str>), true),
        (parse_quote!(Cow<'static, str>), false),
        (parse_quote!(Box<dyn Fn(&str) -> &str + Send>), false),
        (parse_quote!(fn(&str) -> &str), false),
        (parse_quote!(impl Send), true),
        (parse_quote!(Vec<impl Send>), true),
        (parse_quote!(Vec<_>), true),
        (parse_quote!(!), true),
        (parse_quote!((&'static str, std::sync::Arc<[u8]>)), false),
        (parse_quote!(Option<&'a u8>), true),
    ];
    for (ty, expected) in rows {
        assert_eq!(bound(&ty).is_some(), expected, "{}", ty.to_token_stream());
    }
}

#[test]
fn nothing_is_called_self_outside() {
    let actor: Type = parse_quote!(Tree<T>);
    let rows = [
        (quote!(Vec<(Self, u8)>), quote!(Vec<(Tree<T>, u8)>)),
        (quote!([u8; Self::SIZE]), quote!([u8; <Tree<T>>::SIZE])),
        (quote!(Selfish), quote!(Selfish)),
    ];
    for (inside, outside) in rows {
        let text = |tokens: TokenStream| tokens.to_string().replace(' ', "");
        assert_eq!(text(without_self(inside, &actor)), text(outside));
    }
}
