//! Which parameters of the impl block a message needs. A struct must use every parameter it has.

use proc_macro2::TokenStream;
use quote::ToTokens;
use syn::{GenericParam, Generics, Ident, WherePredicate};

use crate::types::names;

/// The parameters that the tokens name, with the bounds that speak of no others.
pub(crate) fn used(all: &Generics, tokens: &TokenStream) -> Generics {
    let is_used = |param: &GenericParam| names(tokens.clone(), name(param));
    let unused: Vec<&Ident> = all.params.iter().filter(|param| !is_used(param)).map(name).collect();
    let speaks_of_others = |tokens: TokenStream| unused.iter().any(|name| names(tokens.clone(), name));
    let speaks_of_used = |tokens: TokenStream| {
        all.params.iter().filter(|param| is_used(param)).any(|param| names(tokens.clone(), name(param)))
    };

    let mut kept = Generics::default();
    for param in all.params.iter().filter(|param| is_used(param)) {
        let mut param = param.clone();
        if let GenericParam::Type(param) = &mut param {
            let bounds = std::mem::take(&mut param.bounds);
            param.bounds =
                bounds.into_iter().filter(|bound| !speaks_of_others(bound.to_token_stream())).collect();
        }
        kept.params.push(param);
    }
    let predicates = all.where_clause.iter().flat_map(|clause| &clause.predicates);
    let predicates: Vec<&WherePredicate> = predicates
        .filter(|predicate| {
            let tokens = predicate.to_token_stream();
            speaks_of_used(tokens.clone()) && !speaks_of_others(tokens)
        })
        .collect();
    if !predicates.is_empty() {
        kept.make_where_clause().predicates.extend(predicates.into_iter().cloned());
    }
    kept
}

fn name(param: &GenericParam) -> &Ident {
    match param {
        GenericParam::Type(param) => &param.ident,
        GenericParam::Const(param) => &param.ident,
        GenericParam::Lifetime(param) => &param.lifetime.ident,
    }
}
