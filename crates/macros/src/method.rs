//! One method that becomes a message: what of it is a field, what is handed in, and what it may not be.

use syn::{
    Attribute, Error, FnArg, Ident, ImplItemFn, Pat, ReceiverKind, Result, Safety, Signature, Type,
    Visibility,
};

use crate::markers::Markers;
use crate::names;
use crate::types::{Returns, as_context, as_reply, bound, is_context};

/// A method, taken apart.
pub(crate) struct Message {
    pub(crate) method: Ident,
    /// Of its struct and variant.
    pub(crate) name: Ident,
    pub(crate) visibility: Visibility,
    /// `#[cfg]`: on whatever is made of the method.
    pub(crate) cfgs: Vec<Attribute>,
    /// Documentation and `#[deprecated]`: on what users call.
    pub(crate) docs: Vec<Attribute>,
    pub(crate) arguments: Vec<Argument>,
    pub(crate) is_async: bool,
    pub(crate) returns: Returns,
    pub(crate) tell_only: bool,
    pub(crate) boxed: bool,
    pub(crate) idempotent: bool,
    pub(crate) crash_on_err: bool,
}

/// What an argument is.
pub(crate) enum Argument {
    /// A field of the message.
    Field(Ident, Type),
    /// The context of the actor.
    Context,
    /// The reply, which the method answers by itself.
    Reply(Type),
}

impl Message {
    pub(crate) fn of(function: &ImplItemFn, markers: Markers, prefix: Option<&Ident>) -> Result<Self> {
        let signature = &function.sig;
        let method = signature.ident.clone();
        refuse_qualifiers(signature, "a message")?;
        refuse_receivers(signature)?;
        let name = match &markers.message {
            Some((_, Some(name))) => name.clone(),
            _ => names::pascal(&method, prefix),
        };
        names::check(&method, &name)?;
        let returns = Returns::of(&signature.output);
        if let Returns::Value(ty) | Returns::Result(ty) = &returns
            && let Some(bound) = bound(ty)
        {
            return Err(bound.error(false));
        }
        let message = Self {
            method,
            name,
            visibility: function.vis.clone(),
            cfgs: only(&function.attrs, &["cfg"]),
            docs: only(&function.attrs, &["doc", "deprecated"]),
            arguments: arguments(signature)?,
            is_async: signature.asyncness.is_some(),
            returns,
            tell_only: markers.tell.is_some(),
            boxed: markers.boxed.is_some(),
            idempotent: markers.idempotent.is_some(),
            crash_on_err: markers.crash_on_err.is_some(),
        };
        message.check(&markers)?;
        Ok(message)
    }

    /// The fields of its struct.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&Ident, &Type)> {
        self.arguments.iter().filter_map(|argument| match argument {
            Argument::Field(name, ty) => Some((name, ty)),
            Argument::Context | Argument::Reply(_) => None,
        })
    }

    /// What the reply takes that it answers by itself.
    pub(crate) fn own_reply(&self) -> Option<&Type> {
        self.arguments.iter().find_map(|argument| match argument {
            Argument::Reply(answer) => Some(answer),
            Argument::Field(..) | Argument::Context => None,
        })
    }

    /// Whether what it returns and what its markers say go together.
    fn check(&self, markers: &Markers) -> Result<()> {
        let at = |marker: &Option<Ident>, text: &str| match marker {
            Some(marker) => Err(Error::new(marker.span(), text)),
            None => Ok(()),
        };
        if self.fields().next().is_none() {
            at(
                &markers.boxed,
                "this message has no content that could stand in a box: leave `#[boxed]` out",
            )?;
        }
        match &self.returns {
            Returns::Result(_) => {}
            _ => at(
                &markers.crash_on_err,
                "this method cannot fail: let it return a `Result`, or leave `#[crash_on_err]` out",
            )?,
        }
        if self.own_reply().is_some() {
            at(
                &markers.tell,
                "a message that is never asked has no `Reply`: leave out the argument, or `#[tell]`",
            )?;
            if let Returns::Value(ty) = &self.returns {
                return Err(Error::new_spanned(
                    ty,
                    "this method answers through its `Reply`: leave out either that argument or what it returns (a \
                     `Result<(), E>` may stay: then `Err` says what went wrong)",
                ));
            }
        }
        match &self.returns {
            Returns::Value(_) => at(
                &markers.tell,
                "nobody would get what this method returns: leave out `#[tell]`, or what it returns",
            ),
            Returns::Nothing | Returns::Result(_) => Ok(()),
        }
    }
}

/// Those attributes with one of these names.
pub(crate) fn only(attributes: &[Attribute], names: &[&str]) -> Vec<Attribute> {
    let is_meant = |attribute: &&Attribute| names.iter().any(|name| attribute.path().is_ident(name));
    attributes.iter().filter(is_meant).cloned().collect()
}

/// What a method called with a message, or a hook, cannot be.
pub(crate) fn refuse_qualifiers(signature: &Signature, what: &str) -> Result<()> {
    let name = &signature.ident;
    if let Some(constant) = &signature.constness {
        let text = format!("{what} is handled while the actor runs: make it `fn {name}`");
        return Err(Error::new_spanned(constant, text));
    }
    if let Safety::Safe(_) | Safety::Unsafe(_) = signature.safety {
        let text = format!(
            "whoever sends a message cannot promise what an unsafe method asks for: make it `fn {name}`, with the \
             unsafe block inside"
        );
        return Err(Error::new_spanned(&signature.safety, text));
    }
    if let Some(abi) = &signature.abi {
        return Err(Error::new_spanned(abi, format!("{what} is called by Rust alone: make it `fn {name}`")));
    }
    if let Some(variadic) = &signature.variadic {
        return Err(Error::new_spanned(
            variadic,
            format!("{what} has a fixed number of arguments: name each"),
        ));
    }
    if !signature.generics.params.is_empty() {
        let is_lifetime = |param| matches!(param, &syn::GenericParam::Lifetime(_));
        let text = if signature.generics.params.iter().all(is_lifetime) {
            format!("{what} outlives the call that sends it, so it has no lifetimes: take arguments by value")
        } else {
            format!(
                "{what} is one type, so `{name}` cannot be generic: write a type for each use, make it a parameter of \
                 the impl block, or take a box (`Box<dyn Trait + Send>`)"
            )
        };
        return Err(Error::new_spanned(&signature.generics, text));
    }
    if let Some(clause) = &signature.generics.where_clause {
        let text = format!("{what} has no bounds of its own: move them to the impl block");
        return Err(Error::new_spanned(clause, text));
    }
    Ok(())
}

pub(crate) fn refuse_receivers(signature: &Signature) -> Result<()> {
    let name = &signature.ident;
    let Some(receiver) = signature.receiver() else {
        return Err(Error::new_spanned(
            name,
            format!(
                "`{name}` takes no `self`, so it cannot be a message: add `&self` or `&mut self`, mark it `#[plain]`, \
                 or move it to an impl block without `#[actor]`"
            ),
        ));
    };
    match &receiver.kind {
        ReceiverKind::Reference(_, None, _) => Ok(()),
        ReceiverKind::Reference(_, Some(lifetime), _) => Err(Error::new_spanned(
            lifetime,
            "a message outlives the call that sends it, so it has no lifetimes: write `&self` or `&mut self`",
        )),
        ReceiverKind::Value => Err(Error::new_spanned(
            receiver,
            "a message cannot use its actor up: take `&mut self`; to end the actor, take `context: &mut Context<…>` \
             and call `context.stop(reason)`",
        )),
        _ => Err(Error::new_spanned(
            receiver,
            "an actor is borrowed by its messages: write `&self` or `&mut self`",
        )),
    }
}

fn arguments(signature: &Signature) -> Result<Vec<Argument>> {
    let mut arguments = Vec::new();
    let (mut has_context, mut has_reply) = (false, false);
    for input in &signature.inputs {
        let FnArg::Typed(typed) = input else { continue };
        if let Some(attribute) = typed.attrs.first() {
            return Err(Error::new_spanned(
                attribute,
                "an argument of a message takes no attributes: leave this out",
            ));
        }
        let ty = &*typed.ty;
        if as_context(ty).is_some() {
            if std::mem::replace(&mut has_context, true) {
                return Err(Error::new_spanned(typed, "an actor has one context: leave this argument out"));
            }
            arguments.push(Argument::Context);
        } else if is_context(ty) {
            return Err(Error::new_spanned(
                ty,
                format!("the context is only lent: write `&mut {}`", text(ty)),
            ));
        } else if let Some(answer) = as_reply(ty) {
            if std::mem::replace(&mut has_reply, true) {
                return Err(Error::new_spanned(typed, "a message is answered once: leave this `Reply` out"));
            }
            if let Some(bound) = bound(&answer) {
                return Err(bound.error(false));
            }
            arguments.push(Argument::Reply(answer));
        } else {
            if let Some(bound) = bound(ty) {
                return Err(bound.error(true));
            }
            arguments.push(Argument::Field(field(&typed.pat)?, ty.clone()));
        }
    }
    Ok(arguments)
}

/// The name of the field that an argument becomes.
fn field(pattern: &Pat) -> Result<Ident> {
    match pattern {
        Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none() => Ok(name.ident.clone()),
        _ => Err(Error::new_spanned(
            pattern,
            "an argument is a field of the message, so it needs a name: write `name: Type` and take it apart inside",
        )),
    }
}

fn text(ty: &Type) -> String {
    // Tokens print with spaces around every sign.
    quote::quote!(#ty).to_string().replace(' ', "")
}
