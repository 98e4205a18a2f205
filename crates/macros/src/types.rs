//! What can be told of a type by how it is written.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{Error, GenericArgument, Ident, PathArguments, ReturnType, Type, TypePath, TypeReference};

/// What a method returns.
pub(crate) enum Returns {
    Nothing,
    Value(Type),
    /// Something called `Result`, or `Handled`.
    Result(Type),
}

impl Returns {
    pub(crate) fn of(output: &ReturnType) -> Self {
        match output {
            ReturnType::Default => Self::Nothing,
            ReturnType::Type(_, ty) => match &**ty {
                Type::Tuple(tuple) if tuple.elems.is_empty() => Self::Nothing,
                ty if is_called(ty, "Result") || is_called(ty, "Handled") => Self::Result(ty.clone()),
                ty => Self::Value(ty.clone()),
            },
        }
    }
}

fn is_called(ty: &Type, name: &str) -> bool {
    match ty {
        Type::Path(TypePath { path, .. }) => path.segments.last().is_some_and(|last| last.ident == name),
        Type::Group(group) => is_called(&group.elem, name),
        Type::Paren(paren) => is_called(&paren.elem, name),
        _ => false,
    }
}

/// The reference, if this is one to a `Context`.
pub(crate) fn as_context(ty: &Type) -> Option<&TypeReference> {
    match ty {
        Type::Reference(reference) if is_called(&reference.elem, "Context") => Some(reference),
        _ => None,
    }
}

/// Whether this is a `Context` by value.
pub(crate) fn is_context(ty: &Type) -> bool {
    is_called(ty, "Context")
}

/// What a `Reply` takes, if this is one.
pub(crate) fn as_reply(ty: &Type) -> Option<Type> {
    let Type::Path(TypePath { path, .. }) = ty else { return None };
    let last = path.segments.last().filter(|last| last.ident == "Reply")?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    match arguments.args.first() {
        Some(GenericArgument::Type(answer)) if arguments.args.len() == 1 => Some(answer.clone()),
        _ => None,
    }
}

/// A part of the type that cannot leave the call that made it.
pub(crate) enum Bound<'a> {
    Reference(&'a TypeReference),
    Lifetime(&'a syn::Lifetime),
    Unnamed(&'a Type),
}

/// The first part of a type that a message or an answer cannot hold: a borrow that is not for ever, or a type that has
/// no name.
pub(crate) fn bound(ty: &Type) -> Option<Bound<'_>> {
    match ty {
        Type::Reference(reference) => match &reference.lifetime {
            Some(lifetime) if lifetime.ident == "static" => bound(&reference.elem),
            _ => Some(Bound::Reference(reference)),
        },
        Type::ImplTrait(_) | Type::Infer(_) | Type::Never(_) => Some(Bound::Unnamed(ty)),
        Type::Array(array) => bound(&array.elem),
        Type::Slice(slice) => bound(&slice.elem),
        Type::Paren(paren) => bound(&paren.elem),
        Type::Group(group) => bound(&group.elem),
        Type::Tuple(tuple) => tuple.elems.iter().find_map(bound),
        Type::Path(path) => path.path.segments.iter().find_map(|segment| match &segment.arguments {
            PathArguments::AngleBracketed(arguments) => {
                arguments.args.iter().find_map(|argument| match argument {
                    GenericArgument::Type(ty) => bound(ty),
                    GenericArgument::Lifetime(lifetime) if lifetime.ident != "static" => {
                        Some(Bound::Lifetime(lifetime))
                    }
                    _ => None,
                })
            }
            // `Fn(&str)` borrows for the time of its own call.
            PathArguments::Parenthesized(_) | PathArguments::None => None,
        }),
        // Others borrow for their own calls, or are the compiler's to judge.
        _ => None,
    }
}

impl Bound<'_> {
    /// The error, with what to do about it.
    pub(crate) fn error(&self, in_message: bool) -> Error {
        let text = match (self, in_message) {
            (Self::Reference(_) | Self::Lifetime(_), true) => {
                "a message outlives the call that sends it, so it cannot borrow: take the argument by value (`String` \
                 for `&str`, `Vec<T>` for `&[T]`, or an `Arc`)"
            }
            (Self::Reference(_) | Self::Lifetime(_), false) => {
                "an answer leaves the actor, so it cannot borrow from it: return an owned value, such as a clone"
            }
            (Self::Unnamed(_), true) => {
                "the type of an argument must have a name, since it is a field of the message: write the type, make \
                 it a parameter of the impl block, or box it (`Box<dyn FnOnce() + Send>`)"
            }
            (Self::Unnamed(_), false) => {
                "the type of an answer must have a name, since it is a parameter of `Reply`: write the type, or box \
                 it (`Box<dyn Iterator<Item = T> + Send>`)"
            }
        };
        match self {
            Self::Reference(reference) => Error::new_spanned(reference, text),
            Self::Lifetime(lifetime) => Error::new_spanned(lifetime, text),
            Self::Unnamed(ty) => Error::new_spanned(ty, text),
        }
    }
}

/// The type as it is called outside of the impl block, where nothing is `Self`.
pub(crate) fn without_self(tokens: TokenStream, actor: &Type) -> TokenStream {
    let mut tokens = tokens.into_iter().peekable();
    let mut out = TokenStream::new();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) if ident == "Self" => {
                let continues =
                    matches!(tokens.peek(), Some(TokenTree::Punct(next)) if next.as_char() == ':');
                out.extend(if continues { quote!(<#actor>) } else { actor.to_token_stream() });
            }
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), without_self(group.stream(), actor));
                inner.set_span(group.span());
                out.extend([TokenTree::Group(inner)]);
            }
            other => out.extend([other]),
        }
    }
    out
}

/// Whether the tokens name this.
pub(crate) fn names(tokens: TokenStream, name: &Ident) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == *name,
        TokenTree::Group(group) => names(group.stream(), name),
        _ => false,
    })
}
