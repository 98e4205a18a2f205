//! What stands in the parentheses of `#[actor(…)]`.

use proc_macro2::TokenStream;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Error, Ident, LitInt, Path, Result, Token, Visibility, parenthesized, parse_quote};

/// How much a message may take in each place of a mailbox, unless said otherwise.
const SLOT: usize = 128;

const KNOWN: &str = "`#[actor]` takes `pub` (or `pub(…)`), `derive(…)`, `slot = <bytes>`, `msg = <Name>`, \
                     `local`, `prefix = <Name>` and `crate = <path>`";

/// The settings of one `#[actor]`.
pub(crate) struct Arguments {
    /// Of everything generated; what the methods have unless given.
    pub(crate) visibility: Option<Visibility>,
    /// For the message structs.
    pub(crate) derives: Vec<Path>,
    /// The largest message, in bytes.
    pub(crate) slot: usize,
    /// The name of the enum.
    pub(crate) msg: Option<Ident>,
    /// Whether it stays on one thread.
    pub(crate) local: bool,
    /// What the names of message structs begin with.
    pub(crate) prefix: Option<Ident>,
    /// Where `minder` is.
    pub(crate) minder: Path,
}

impl Arguments {
    pub(crate) fn parse(tokens: TokenStream) -> Result<Self> {
        let given = Punctuated::<Argument, Token![,]>::parse_terminated.parse2(tokens)?;
        let mut visibility = None;
        let mut derives = None;
        let mut slot = None;
        let mut msg = None;
        let mut local = None;
        let mut prefix = None;
        let mut minder = None;
        for Argument { name, value } in given {
            match value {
                Value::Visibility(value) => once(&mut visibility, value, &name)?,
                Value::Derives(value) => once(&mut derives, value, &name)?,
                Value::Slot(value) => once(&mut slot, value, &name)?,
                Value::Msg(value) => once(&mut msg, value, &name)?,
                Value::Local => once(&mut local, (), &name)?,
                Value::Prefix(value) => once(&mut prefix, value, &name)?,
                Value::Minder(value) => once(&mut minder, value, &name)?,
            }
        }
        Ok(Self {
            visibility,
            derives: derives.unwrap_or_default(),
            slot: slot.unwrap_or(SLOT),
            msg,
            local: local.is_some(),
            prefix,
            minder: minder.unwrap_or_else(|| parse_quote!(::minder)),
        })
    }
}

fn once<T>(place: &mut Option<T>, value: T, name: &Ident) -> Result<()> {
    if place.replace(value).is_some() {
        return Err(Error::new(name.span(), format!("`{name}` is given twice: leave one of them")));
    }
    Ok(())
}

struct Argument {
    name: Ident,
    value: Value,
}

enum Value {
    Visibility(Visibility),
    Derives(Vec<Path>),
    Slot(usize),
    Msg(Ident),
    Local,
    Prefix(Ident),
    Minder(Path),
}

impl Parse for Argument {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.peek(Token![pub]) {
            let name = input.fork().call(Ident::parse_any)?;
            return Ok(Self { name, value: Value::Visibility(input.parse()?) });
        }
        let name = input.call(Ident::parse_any).map_err(|error| Error::new(error.span(), KNOWN))?;
        let value = match name.to_string().as_str() {
            "derive" => {
                let inside;
                parenthesized!(inside in input);
                let derives =
                    Punctuated::<Path, Token![,]>::parse_terminated_with(&inside, Path::parse_mod_style)?;
                Value::Derives(derives.into_iter().collect())
            }
            "slot" => Value::Slot(given::<LitInt>(input)?.base10_parse()?),
            "msg" => Value::Msg(given(input)?),
            "local" => Value::Local,
            "prefix" => Value::Prefix(given(input)?),
            "crate" => {
                input.parse::<Token![=]>()?;
                Value::Minder(input.call(Path::parse_mod_style)?)
            }
            _ => return Err(Error::new(name.span(), format!("no such argument `{name}`: {KNOWN}"))),
        };
        Ok(Self { name, value })
    }
}

fn given<T: Parse>(input: ParseStream<'_>) -> Result<T> {
    input.parse::<Token![=]>()?;
    input.parse()
}
