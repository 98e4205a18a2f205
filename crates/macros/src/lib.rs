//! `#[actor]`: the methods of an impl block become the messages of an actor. Reexported by `minder`, which its
//! expansion names; see there for how it is used and everything it takes.
//!
//! Start reading at `block.rs` (what the user wrote), then `expand.rs` (what is made of it).

mod arguments;
mod block;
mod expand;
mod generics;
mod hooks;
mod markers;
mod method;
mod names;
#[cfg(test)]
mod tests;
mod types;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};

use crate::arguments::Arguments;
use crate::block::{Block, impl_block};

/// Makes an actor of an impl block: see `minder::actor`, which is this attribute with its documentation.
#[proc_macro_attribute]
pub fn actor(arguments: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    attribute(arguments.into(), item.into()).into()
}

/// What takes the place of the item. If it is wrong, the impl block stays as it was, so that its own errors are not
/// hidden by ours, nor its callers' by its absence.
fn attribute(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let item = match syn::parse2(item).and_then(impl_block) {
        Ok(block) => block,
        Err(error) => return error.into_compile_error(),
    };
    let mut block = item;
    let expanded = Arguments::parse(arguments).and_then(|arguments| {
        let parts = Block::of(&mut block, &arguments)?;
        Ok(expand::expand(&parts, &arguments))
    });
    let expanded = expanded.unwrap_or_else(|error| {
        markers::Markers::strip(&mut block);
        error.into_compile_error()
    });
    let block = block.into_token_stream();
    quote!(#block #expanded)
}
