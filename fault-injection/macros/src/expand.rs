//! One function into another: an `async fn` into a test that hands it to `Trial`.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{Error, FnArg, Ident, ItemFn, LitInt, Token};

/// What stands in the brackets: nothing, or `seeds = 100`.
#[derive(Default)]
struct Arguments {
    seeds: Option<u64>,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut arguments = Self::default();
        while !input.is_empty() {
            let name: Ident = input.parse()?;
            if name != "seeds" {
                let text = format!("unknown argument `{name}`: this attribute takes `seeds = <number>`");
                return Err(Error::new(name.span(), text));
            }
            if arguments.seeds.is_some() {
                return Err(Error::new(name.span(), "`seeds` is given twice"));
            }
            input.parse::<Token![=]>()?;
            let number: LitInt = input.parse()?;
            let seeds = number.base10_parse::<u64>()?;
            if seeds == 0 {
                return Err(Error::new(number.span(), "a test that runs under no seed tests nothing"));
            }
            arguments.seeds = Some(seeds);
            if !input.is_empty() {
                input.parse::<Token![,]>()?;
            }
        }
        Ok(arguments)
    }
}

pub(crate) fn expand(arguments: TokenStream, function: TokenStream) -> syn::Result<TokenStream> {
    let Arguments { seeds } = syn::parse2(arguments)?;
    let ItemFn { attrs, vis, sig, block, .. } = syn::parse2(function)?;
    let refuse = |span: Span, text: &str| Err(Error::new(span, text));
    if sig.asyncness.is_none() {
        return refuse(sig.fn_token.span(), "a test in the simulator is an `async fn`");
    }
    if !sig.generics.params.is_empty() {
        return refuse(sig.generics.span(), "a test has no generic parameters");
    }
    let name = &sig.ident;
    let call = match sig.inputs.iter().collect::<Vec<_>>()[..] {
        [] => quote!(|_| #name()),
        [FnArg::Typed(_)] => quote!(#name),
        _ => return refuse(sig.inputs.span(), "a test takes a `Kit`, or nothing"),
    };
    let seeds = seeds.map(|seeds| quote!(.seeds(#seeds)));
    Ok(quote! {
        #(#attrs)*
        #[::core::prelude::v1::test]
        #vis fn #name() {
            #sig #block
            let name = ::core::concat!(::core::module_path!(), "::", ::core::stringify!(#name));
            ::minder_fault_injection::testkit::Trial::named(name) #seeds .run(#call);
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(arguments: &str, function: &str) -> Result<String, String> {
        let parse = |text: &str| text.parse::<TokenStream>().expect("these are tokens");
        let result = expand(parse(arguments), parse(function));
        result.map(|tokens| tokens.to_string()).map_err(|error| error.to_string())
    }

    #[test]
    fn what_it_takes_and_what_it_refuses() {
        let rows = [
            ("", "async fn a() {}", Ok("| _ | a ()")),
            ("", "async fn a(mut kit: Kit) {}", Ok(". run (a)")),
            ("seeds = 100", "async fn a(kit: Kit) {}", Ok(". seeds (100u64)")),
            ("seeds = 1_000,", "async fn a(kit: Kit) {}", Ok(". seeds (1000u64)")),
            (
                "",
                "#[should_panic] async fn a() {}",
                Ok("# [should_panic] # [:: core :: prelude :: v1 :: test]"),
            ),
            ("", "async fn a() -> Result<(), E> { b() }", Ok("async fn a () -> Result < () , E > { b () }")),
            ("", "fn a() {}", Err("a test in the simulator is an `async fn`")),
            ("", "async fn a<T>() {}", Err("a test has no generic parameters")),
            ("", "async fn a(x: Kit, y: Kit) {}", Err("a test takes a `Kit`, or nothing")),
            ("", "async fn a(&self) {}", Err("a test takes a `Kit`, or nothing")),
            ("seeds = 0", "async fn a() {}", Err("a test that runs under no seed tests nothing")),
            ("seed = 5", "async fn a() {}", Err("unknown argument `seed`")),
            ("seeds = 5, seeds = 6", "async fn a() {}", Err("`seeds` is given twice")),
            ("seeds", "async fn a() {}", Err("expected `=`")),
            ("", "struct A;", Err("expected")),
        ];
        for (arguments, function, expected) in rows {
            let found = expanded(arguments, function);
            let fits = match (&found, expected) {
                (Ok(found), Ok(expected)) | (Err(found), Err(expected)) => found.contains(expected),
                _ => false,
            };
            assert!(fits, "[{arguments}] {function}: {found:?}");
        }
    }
}
