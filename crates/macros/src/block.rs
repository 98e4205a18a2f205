//! The impl block as a whole: which of its methods are messages, which are hooks, what is left alone, and how what is
//! made of it is called.

use std::collections::HashMap;

use quote::{format_ident, quote};
use syn::{
    Error, GenericParam, Generics, Ident, ImplItem, ImplItemFn, Item, ItemImpl, PathArguments, Result, Type,
    TypePath, Visibility,
};

use crate::arguments::Arguments;
use crate::hooks::Hook;
use crate::markers::Markers;
use crate::method::Message;

/// An actor, taken apart.
pub(crate) struct Block {
    /// The type that the block is for.
    pub(crate) actor: Type,
    /// Its name.
    pub(crate) name: Ident,
    pub(crate) generics: Generics,
    /// Of what is generated.
    pub(crate) visibility: Visibility,
    /// The name of the enum.
    pub(crate) msg: Ident,
    /// The name of the trait with the calls.
    pub(crate) calls: Ident,
    pub(crate) messages: Vec<Message>,
    pub(crate) hooks: Vec<Hook>,
}

/// The block, if this is one that `#[actor]` can stand on.
pub(crate) fn impl_block(item: Item) -> Result<ItemImpl> {
    const WHERE: &str = "`#[actor]` stands on an impl block, whose methods become messages: write it above \
                         `impl YourActor { … }`";
    let block = match item {
        Item::Impl(block) => block,
        Item::Struct(other) => return Err(Error::new(other.ident.span(), WHERE)),
        Item::Enum(other) => return Err(Error::new(other.ident.span(), WHERE)),
        Item::Fn(other) => return Err(Error::new(other.sig.ident.span(), WHERE)),
        Item::Trait(other) => return Err(Error::new(other.ident.span(), WHERE)),
        other => return Err(Error::new_spanned(other, WHERE)),
    };
    if let Some((path, _)) = &block.trait_ {
        return Err(Error::new_spanned(
            path,
            "`#[actor]` makes messages of a type's own methods: write `impl YourActor { … }` without a trait (it \
             implements `Actor` for you)",
        ));
    }
    if let Some(unsafety) = &block.unsafety {
        return Err(Error::new_spanned(unsafety, "an actor's methods are safe to send: leave `unsafe` out"));
    }
    if let Some(lifetime) = block.generics.lifetimes().next() {
        return Err(Error::new_spanned(
            lifetime,
            "an actor lives as long as its minder wants, so it cannot borrow: own what it needs, or share it in an \
             `Arc`",
        ));
    }
    Ok(block)
}

impl Block {
    /// Takes a block apart, and its markers off. Every method is looked at, so that all errors are told at once.
    pub(crate) fn of(block: &mut ItemImpl, arguments: &Arguments) -> Result<Self> {
        let name = name_of(&block.self_ty)?;
        let mut errors = Errors(None);
        let (mut messages, mut hooks) = (Vec::new(), Vec::new());
        for item in &mut block.items {
            let ImplItem::Fn(function) = item else { continue };
            match Method::of(function, arguments) {
                Ok(Method::Message(message)) => messages.push(*message),
                Ok(Method::Hook(hook)) => hooks.push(hook),
                Ok(Method::Plain) => {}
                Err(error) => errors.add(error),
            }
        }
        let visibility = match &arguments.visibility {
            Some(given) => given.clone(),
            None => widest(&messages).unwrap_or_else(|error| {
                errors.add(error);
                Visibility::Inherited
            }),
        };
        let block = Self {
            msg: arguments.msg.clone().unwrap_or_else(|| format_ident!("{name}Msg")),
            calls: format_ident!("{name}Calls"),
            actor: (*block.self_ty).clone(),
            generics: block.generics.clone(),
            name,
            visibility,
            messages,
            hooks,
        };
        block.clashes(&mut errors);
        errors.0.map_or(Ok(block), Err)
    }

    /// Names that would be given twice.
    fn clashes(&self, errors: &mut Errors) {
        let mut taken: HashMap<&Ident, String> = HashMap::new();
        for param in &self.generics.params {
            if let GenericParam::Type(syn::TypeParam { ident, .. })
            | GenericParam::Const(syn::ConstParam { ident, .. }) = param
            {
                taken.insert(ident, "a parameter of the impl block".to_owned());
            }
        }
        taken.insert(&self.name, "the actor".to_owned());
        taken.insert(&self.msg, "the enum of its messages".to_owned());
        taken.insert(&self.calls, "the trait of its calls".to_owned());
        for message in &self.messages {
            // Two methods of which only one is compiled in may share a name.
            if !message.cfgs.is_empty() {
                continue;
            }
            let this = format!("the message of `{}`", message.method);
            if let Some(other) = taken.insert(&message.name, this) {
                errors.add(Error::new(
                    message.name.span(),
                    format!(
                        "`{}` would be called `{}`, and so is {other}: name its struct otherwise with \
                         `#[message(Name)]`",
                        message.method, message.name
                    ),
                ));
            }
        }
    }
}

/// What a method of the block is.
enum Method {
    Message(Box<Message>),
    Hook(Hook),
    Plain,
}

impl Method {
    fn of(function: &mut ImplItemFn, arguments: &Arguments) -> Result<Self> {
        let markers = Markers::take(&mut function.attrs)?;
        if markers.plain.is_some() {
            return Ok(Self::Plain);
        }
        if Hook::is(&function.sig.ident) && markers.message.is_none() {
            return Hook::of(function, &markers).map(Self::Hook);
        }
        let message = Message::of(function, markers, arguments.prefix.as_ref())?;
        Ok(Self::Message(Box::new(message)))
    }
}

fn name_of(ty: &Type) -> Result<Ident> {
    match ty {
        Type::Path(TypePath { qself: None, path, .. }) => match path.segments.last() {
            Some(last) if !matches!(last.arguments, PathArguments::Parenthesized(_)) => {
                Ok(last.ident.clone())
            }
            _ => Err(Error::new_spanned(ty, "an actor is a type with a name")),
        },
        Type::Group(group) => name_of(&group.elem),
        _ => Err(Error::new_spanned(
            ty,
            "an actor is a struct or an enum of your own: write `impl YourActor { … }`",
        )),
    }
}

/// The widest visibility among the messages' methods.
fn widest(messages: &[Message]) -> Result<Visibility> {
    let mut widest = &Visibility::Inherited;
    for message in messages {
        let next = &message.visibility;
        if let (Visibility::Restricted(one), Visibility::Restricted(other)) = (widest, next)
            && rank(one) == rank(other)
            && quote!(#one).to_string() != quote!(#other).to_string()
        {
            return Err(Error::new_spanned(
                next,
                "methods with different visibilities: say which the messages shall have, as in \
                 `#[actor(pub(crate))]`",
            ));
        }
        if width(next) > width(widest) {
            widest = next;
        }
    }
    Ok(widest.clone())
}

fn width(visibility: &Visibility) -> u8 {
    match visibility {
        Visibility::Public(_) => 4,
        Visibility::Restricted(restricted) => rank(restricted),
        Visibility::Inherited => 0,
    }
}

fn rank(restricted: &syn::VisRestricted) -> u8 {
    match restricted.path.get_ident() {
        Some(path) if path == "crate" => 3,
        Some(path) if path == "self" => 1,
        // `super` and `in …` lie somewhere between.
        _ => 2,
    }
}

struct Errors(Option<Error>);

impl Errors {
    fn add(&mut self, error: Error) {
        match &mut self.0 {
            Some(errors) => errors.combine(error),
            None => self.0 = Some(error),
        }
    }
}
