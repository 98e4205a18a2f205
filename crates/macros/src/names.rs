//! The names of what is generated, and those that must stay free.

use quote::format_ident;
use syn::ext::IdentExt;
use syn::{Error, Ident, Result};

/// What an address can do by itself. A call of that name would never be reached, since a method of the type goes before
/// one of a trait. A test compares this with `minder-runtime`.
pub(crate) const OF_ADDRESSES: &[&str] = &[
    "ask",
    "ask_blocking",
    "ask_blocking_within",
    "ask_within",
    "dead_letters",
    "ended",
    "forward",
    "id",
    "is_alive",
    "kill",
    "path",
    "pin",
    "quarantine",
    "queued",
    "recipient",
    "registered_name",
    "resume",
    "send",
    "send_revocable",
    "statistics",
    "suspend",
    "sys",
    "tell",
];

/// Methods of common traits that an address has as well.
const OF_TRAITS: &[&str] = &["clone", "clone_into", "eq", "fmt", "into", "ne", "to_owned", "try_into"];

/// Types and traits that the methods of an actor name, and that a struct of the same name would hide.
const NAMED_EVERYWHERE: &[&str] = &[
    "Addr",
    "Box",
    "Clone",
    "Context",
    "Copy",
    "Default",
    "Drop",
    "Err",
    "ExitReason",
    "Fn",
    "From",
    "Handled",
    "Into",
    "Iterator",
    "None",
    "Notice",
    "Ok",
    "Option",
    "Reply",
    "Result",
    "Self",
    "Send",
    "Some",
    "String",
    "Sync",
    "Vec",
];

/// `deposit_all` as `DepositAll`, where the method stands.
pub(crate) fn pascal(method: &Ident, prefix: Option<&Ident>) -> Ident {
    let mut name = prefix.map(Ident::to_string).unwrap_or_default();
    for word in method.unraw().to_string().split('_') {
        let mut letters = word.chars();
        name.extend(letters.next().into_iter().flat_map(char::to_uppercase));
        name.push_str(letters.as_str());
    }
    // A name without letters, such as `_`, is no name of a method.
    format_ident!("{name}", span = method.span())
}

/// Whether the message of a method may be called by its name, and its struct by its own.
pub(crate) fn check(method: &Ident, name: &Ident) -> Result<()> {
    let called = method.unraw().to_string();
    if OF_ADDRESSES.contains(&called.as_str()) || OF_TRAITS.contains(&called.as_str()) {
        return Err(Error::new(
            method.span(),
            format!(
                "an address has a method `{called}` of its own, which would be called instead of this message: name \
                 the method otherwise, or mark it `#[plain]` if it is no message"
            ),
        ));
    }
    if NAMED_EVERYWHERE.contains(&name.to_string().as_str()) {
        return Err(Error::new(
            name.span(),
            format!(
                "the message would be called `{name}` and hide the type of that name: name it otherwise with \
                 `#[message(Name)]`"
            ),
        ));
    }
    Ok(())
}
