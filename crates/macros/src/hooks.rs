//! The methods of `trait Actor` that are not messages, known by their names: `started`, `notice`, `stop_requested`, `stopping`
//! and `format_status`. They may leave out what they do not need.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::{Attribute, Error, FnArg, Ident, ImplItemFn, Path, ReceiverKind, Result, Type};

use crate::markers::Markers;
use crate::method::{only, refuse_qualifiers, refuse_receivers};
use crate::types::{Returns, as_context};

/// Which one, and how it is written in full.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Started,
    Notice,
    StopRequested,
    Stopping,
    FormatStatus,
}

/// A hook, taken apart.
pub(crate) struct Hook {
    kind: Kind,
    method: Ident,
    cfgs: Vec<Attribute>,
    arguments: Vec<Argument>,
    is_async: bool,
    /// Whether an `Err` of it ends the incarnation.
    fails: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Argument {
    Context,
    Notice,
    Reason,
}

impl Kind {
    fn of(name: &Ident) -> Option<Self> {
        [Self::Started, Self::Notice, Self::StopRequested, Self::Stopping, Self::FormatStatus]
            .into_iter()
            .find(|kind| name == kind.name())
    }

    fn name(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Notice => "notice",
            Self::StopRequested => "stop_requested",
            Self::Stopping => "stopping",
            Self::FormatStatus => "format_status",
        }
    }

    fn in_full(self) -> &'static str {
        match self {
            Self::Started => "async fn started(&mut self, context: &mut Context<…>) -> Handled",
            Self::Notice => "async fn notice(&mut self, notice: Notice, context: &mut Context<…>) -> Handled",
            Self::StopRequested => {
                "fn stop_requested(&mut self, reason: &ExitReason, context: &mut Context<…>) -> Winding"
            }
            Self::Stopping => "async fn stopping(&mut self, reason: &ExitReason, context: &mut Context<…>)",
            Self::FormatStatus => "fn format_status(&self) -> Option<String>",
        }
    }

    fn error(self, at: impl quote::ToTokens) -> Error {
        Error::new_spanned(
            at,
            format!(
                "`{}` is a hook of `trait Actor`: write `{}`, leaving out what is not needed; for a message of that \
                 name mark it `#[message]`",
                self.name(),
                self.in_full()
            ),
        )
    }
}

impl Hook {
    /// Whether a method of this name is one.
    pub(crate) fn is(name: &Ident) -> bool {
        Kind::of(name).is_some()
    }

    pub(crate) fn of(function: &ImplItemFn, markers: &Markers) -> Result<Self> {
        let signature = &function.sig;
        let kind = Kind::of(&signature.ident).expect("only hooks are taken for hooks");
        markers.none_but_plain("a hook is no message: leave this marker out")?;
        refuse_qualifiers(signature, "a hook")?;
        refuse_receivers(signature)?;
        let mut arguments = Vec::new();
        for input in &signature.inputs {
            let FnArg::Typed(typed) = input else { continue };
            let argument = match &*typed.ty {
                _ if kind == Kind::FormatStatus => return Err(kind.error(typed)),
                ty if as_context(ty).is_some() => Argument::Context,
                Type::Reference(_) if matches!(kind, Kind::StopRequested | Kind::Stopping) => {
                    Argument::Reason
                }
                Type::Path(_) if kind == Kind::Notice => Argument::Notice,
                _ => return Err(kind.error(typed)),
            };
            if arguments.contains(&argument) {
                return Err(kind.error(typed));
            }
            arguments.push(argument);
        }
        let fails = match (kind, Returns::of(&signature.output)) {
            (Kind::Started | Kind::Notice, Returns::Result(_)) => true,
            (Kind::Started | Kind::Notice | Kind::Stopping, Returns::Nothing) => false,
            (Kind::StopRequested | Kind::FormatStatus, Returns::Value(_)) => false,
            _ => return Err(kind.error(&signature.output)),
        };
        let is_async = signature.asyncness.is_some();
        if is_async && matches!(kind, Kind::StopRequested | Kind::FormatStatus) {
            return Err(kind.error(signature.asyncness));
        }
        if kind == Kind::FormatStatus
            && let Some(receiver) = signature.receiver()
            && matches!(receiver.kind, ReceiverKind::Reference(_, _, Some(_)))
        {
            return Err(kind.error(receiver));
        }
        let (method, cfgs) = (signature.ident.clone(), only(&function.attrs, &["cfg"]));
        Ok(Self { kind, method, cfgs, arguments, is_async, fails })
    }

    /// The method of `trait Actor` that calls it; `send` is what its future promises.
    pub(crate) fn expand(&self, minder: &Path, message: &Type, send: &TokenStream) -> TokenStream {
        let Self { kind, method, cfgs, arguments, is_async, fails } = self;
        let mixed = |name| Ident::new(name, Span::mixed_site());
        let (context, notice, reason) = (mixed("_context"), mixed("_notice"), mixed("_reason"));
        let handed = arguments.iter().map(|argument| match argument {
            Argument::Context => &context,
            Argument::Notice => &notice,
            Argument::Reason => &reason,
        });
        let mut call = quote_spanned!(method.span()=> Self::#method(self, #(#handed),*));
        if *is_async {
            call = quote_spanned!(method.span()=> #call.await);
        }
        if *fails {
            call = quote!(#minder::Handled::Ok(#call?));
        }
        let context = quote!(#context: &mut #minder::Context<#message>);
        let (notice, reason) = (quote!(#notice: #minder::Notice), quote!(#reason: &#minder::ExitReason));
        let handled = quote!(impl ::core::future::Future<Output = #minder::Handled> #send);
        let ending = if *fails { quote!(#call) } else { quote!({ #call; #minder::Handled::Ok(()) }) };
        let started = quote! {
            async move { #ending }
        };
        let written = match kind {
            Kind::Started => quote!(fn started(&mut self, #context) -> #handled { #started }),
            Kind::Notice => quote!(fn notice(&mut self, #notice, #context) -> #handled { #started }),
            Kind::StopRequested => {
                quote!(fn stop_requested(&mut self, #reason, #context) -> #minder::Winding { #call })
            }
            Kind::FormatStatus => quote! {
                fn format_status(&self) -> ::core::option::Option<::std::string::String> { #call }
            },
            Kind::Stopping => quote! {
                fn stopping(
                    &mut self,
                    #reason,
                    #context,
                ) -> impl ::core::future::Future<Output = ()> #send {
                    async move { #call }
                }
            },
        };
        quote!(#(#cfgs)* #written)
    }
}
