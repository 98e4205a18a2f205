//! Everything that is written out for an actor: the message structs, the enum of them, the calls on the address, and
//! the implementation of `trait Actor`, which is what one would write by hand.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Generics, Ident, Path, Type, Visibility, parse_quote, parse_quote_spanned};

use crate::arguments::Arguments;
use crate::block::Block;
use crate::generics::used;
use crate::method::{Argument, Message};
use crate::types::{Returns, without_self};

/// What all parts need to know.
struct Expansion<'a> {
    block: &'a Block,
    arguments: &'a Arguments,
    /// Where `minder` is.
    minder: &'a Path,
    /// The parameters of the enum.
    generics: Generics,
    /// The enum, with its parameters.
    msg: Type,
}

/// One message, ready to be written out.
struct Part<'a> {
    message: &'a Message,
    generics: Generics,
    /// The struct, with its parameters.
    ty: Type,
    /// Fields as they are outside of the impl block.
    fields: Vec<(&'a Ident, Type)>,
    /// What its reply takes; nothing for messages that are never asked.
    answer: Option<Type>,
}

/// Everything that is written beside the impl block.
pub(crate) fn expand(block: &Block, arguments: &Arguments) -> TokenStream {
    let mut named = TokenStream::new();
    for message in &block.messages {
        message.fields().for_each(|(_, ty)| ty.to_tokens(&mut named));
        message.own_reply().to_tokens(&mut named);
        if let Returns::Value(ty) | Returns::Result(ty) = &message.returns {
            ty.to_tokens(&mut named);
        }
    }
    let generics = used(&block.generics, &without_self(named, &block.actor));
    let (msg, types) = (&block.msg, generics.split_for_impl().1);
    let msg = parse_quote!(#msg #types);
    let expansion = Expansion { block, arguments, minder: &arguments.minder, generics, msg };
    let parts: Vec<Part<'_>> = block.messages.iter().map(|message| expansion.part(message)).collect();
    let structs = parts.iter().map(|part| expansion.message_struct(part));
    let (messages, calls) = (expansion.enumeration(&parts), expansion.calls(&parts));
    let (actor, checks) = (expansion.actor(&parts), expansion.checks(&parts));
    quote!(#checks #(#structs)* #messages #calls #actor)
}

impl<'a> Expansion<'a> {
    fn part(&self, message: &'a Message) -> Part<'a> {
        let minder = self.minder;
        let outside = |ty: &Type| -> Type {
            let tokens = without_self(ty.to_token_stream(), &self.block.actor);
            parse_quote_spanned!(ty.span()=> #tokens)
        };
        let fields: Vec<(&Ident, Type)> = message.fields().map(|(name, ty)| (name, outside(ty))).collect();
        let types = fields.iter().map(|(_, ty)| ty);
        let generics = used(&self.block.generics, &quote!(#(#types)*));
        let (name, parameters) = (&message.name, generics.split_for_impl().1);
        let ty = parse_quote!(#name #parameters);
        let answer = match (message.own_reply(), &message.returns) {
            _ if message.tell_only => None,
            (Some(answer), _) => Some(outside(answer)),
            (None, Returns::Nothing) => Some(parse_quote_spanned!(message.method.span()=> ())),
            (None, Returns::Value(ty)) => Some(outside(ty)),
            (None, Returns::Result(ty)) if message.crash_on_err => {
                let ty = outside(ty);
                Some(parse_quote!(<#ty as #minder::expansion::Fallible>::Value))
            }
            (None, Returns::Result(ty)) => Some(outside(ty)),
        };
        Part { message, generics, ty, fields, answer }
    }

    fn visibility(&self) -> &Visibility {
        &self.block.visibility
    }

    fn message_struct(&self, part: &Part<'_>) -> TokenStream {
        let Message { name, cfgs, docs, method, .. } = part.message;
        let (derives, visibility) = (&self.arguments.derives, self.visibility());
        let (implement, types, bounds) = part.generics.split_for_impl();
        let declared = &part.generics.params;
        let docs = documented(docs, &format!("The message of `{}::{method}`.", self.block.name));
        let fields = part.fields.iter().map(|(field, ty)| {
            let doc = format!("The argument `{field}`.");
            quote!(#[doc = #doc] #visibility #field: #ty,)
        });
        let body = match part.fields.is_empty() {
            true => quote_spanned!(method.span()=> #bounds;),
            false => quote_spanned!(method.span()=> #bounds { #(#fields)* }),
        };
        let debug = (!self.derives("Debug")).then(|| {
            let text = name.to_string();
            let written = match part.fields.is_empty() {
                true => quote!(f.write_str(#text)),
                false => quote!(f.debug_struct(#text).finish_non_exhaustive()),
            };
            quote! {
                #(#cfgs)*
                #[automatically_derived]
                impl #implement ::core::fmt::Debug for #name #types #bounds {
                    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                        #written
                    }
                }
            }
        });
        let parameters = (!declared.is_empty()).then(|| quote!(<#declared>));
        let derive = (!derives.is_empty()).then(|| quote!(#[derive(#(#derives),*)]));
        // Where the method stands: a name that is taken, or a field that is wrong, is reported there.
        quote_spanned! {method.span()=>
            #(#cfgs)*
            #docs
            #derive
            #[allow(dead_code, unreachable_pub)]
            #visibility struct #name #parameters #body
            #debug
        }
    }

    fn derives(&self, name: &str) -> bool {
        self.arguments.derives.iter().any(|path| path.segments.last().is_some_and(|last| last.ident == name))
    }

    fn enumeration(&self, parts: &[Part<'_>]) -> TokenStream {
        let Self { block, minder, msg: ty, .. } = self;
        let (msg, visibility) = (&block.msg, self.visibility());
        let (implement, _, bounds) = self.generics.split_for_impl();
        let parameters = &self.generics.params;
        let variants = parts.iter().map(|part| {
            let Message { name, cfgs, method, .. } = part.message;
            let (content, doc) = (part.content(), format!("To `{}::{method}`.", block.name));
            let reply = part.answer.as_ref().map(|answer| quote!(, #minder::Reply<#answer>));
            quote!(#(#cfgs)* #[doc = #doc] #name(#content #reply),)
        });
        let names = parts.iter().map(|part| {
            let Message { name, cfgs, .. } = part.message;
            let text = name.to_string();
            quote!(#(#cfgs)* Self::#name(..) => #text,)
        });
        let debugs = parts.iter().map(|part| {
            let Message { name, cfgs, .. } = part.message;
            quote!(#(#cfgs)* Self::#name(ref message, ..) => ::core::fmt::Debug::fmt(message, f),)
        });
        // What parameters can be debugged is not known here.
        let debug = match self.derives("Debug") && self.generics.params.is_empty() {
            true => quote!(match *self { #(#debugs)* }),
            false => quote!(f.write_str(self.name())),
        };
        let equality = self.derives("PartialEq").then(|| self.equality(parts));
        let conversions = parts.iter().map(|part| self.conversion(part));
        let doc = format!("What `{}` can be told and asked.", block.name);
        quote! {
            #[doc = #doc]
            #[allow(dead_code, unreachable_pub, clippy::enum_variant_names, clippy::large_enum_variant)]
            #visibility enum #msg <#parameters> #bounds { #(#variants)* }

            impl #implement #ty #bounds {
                /// Which message it is.
                #[allow(dead_code, unreachable_pub)]
                #visibility fn name(&self) -> &'static str {
                    match *self { #(#names)* }
                }
            }

            #[automatically_derived]
            impl #implement ::core::fmt::Debug for #ty #bounds {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    #debug
                }
            }

            #equality
            #(#conversions)*
        }
    }

    /// Messages are equal if their structs are, whoever waits for the answers.
    fn equality(&self, parts: &[Part<'_>]) -> TokenStream {
        let msg = &self.msg;
        let mut generics = self.generics.clone();
        for param in generics.type_params_mut() {
            param.bounds.push(parse_quote!(::core::cmp::PartialEq));
        }
        let (implement, _, bounds) = generics.split_for_impl();
        let arms = parts.iter().map(|part| {
            let Message { name, cfgs, .. } = part.message;
            quote!(#(#cfgs)* (Self::#name(one, ..), Self::#name(other, ..)) => one == other,)
        });
        quote! {
            #[automatically_derived]
            impl #implement ::core::cmp::PartialEq for #msg #bounds {
                /// Whether the messages are equal, whoever waits for their answers.
                fn eq(&self, other: &Self) -> bool {
                    match (self, other) {
                        #(#arms)*
                        #[allow(unreachable_patterns)]
                        _ => false,
                    }
                }
            }
        }
    }

    /// From the struct to the enum: told, and asked.
    fn conversion(&self, part: &Part<'_>) -> TokenStream {
        let (minder, msg, variants, ty) = (self.minder, &self.msg, &self.block.msg, &part.ty);
        let Message { name, cfgs, method, .. } = part.message;
        let (implement, _, bounds) = self.generics.split_for_impl();
        let message = Ident::new("message", Span::mixed_site());
        let content = part.put(&message);
        let nobody = part.answer.as_ref().map(|_| quote!(, #minder::Reply::nobody()));
        let size = (!part.generics.params.is_empty()).then(|| self.size_check(part));
        let asked = part.answer.as_ref().map(|answer| {
            let (outcome, asked) = part.outcome(self, answer);
            quote_spanned! {method.span()=>
                #(#cfgs)*
                impl #implement #minder::Message<#msg> for #ty #bounds {
                    type Answer = #answer;
                    type Outcome = #outcome;

                    fn with_reply(self, reply: #minder::Reply<Self::Answer>) -> #msg {
                        let #message = self;
                        #variants::#name(#content, reply)
                    }

                    fn outcome(
                        asked: ::core::result::Result<Self::Answer, #minder::AskError<#msg>>,
                    ) -> Self::Outcome {
                        #asked
                    }
                }
            }
        });
        quote_spanned! {method.span()=>
            #(#cfgs)*
            impl #implement ::core::convert::From<#ty> for #msg #bounds {
                fn from(#message: #ty) -> Self {
                    #size
                    Self::#name(#content #nobody)
                }
            }
            #asked
        }
    }

    fn calls(&self, parts: &[Part<'_>]) -> TokenStream {
        let Self { block, minder, msg, .. } = self;
        let (calls, visibility) = (&block.calls, self.visibility());
        let (implement, types, bounds) = self.generics.split_for_impl();
        let parameters = &self.generics.params;
        let signature = |part: &Part<'_>| {
            let (method, ty) = (&part.message.method, &part.ty);
            let arguments = part.fields.iter().map(|(name, ty)| quote!(#name: #ty));
            let ask = match part.answer {
                Some(_) => quote!(impl #minder::Asks<'_, #msg, #ty>),
                None => quote!(()),
            };
            quote!(fn #method(&self #(, #arguments)*) -> #minder::Call<'_, #msg, #ty, #ask>)
        };
        let declared = parts.iter().map(|part| {
            let (cfgs, signature) = (&part.message.cfgs, signature(part));
            let docs =
                documented(&part.message.docs, &format!("Calls `{}::{}`.", block.name, part.message.method));
            quote!(#(#cfgs)* #docs #signature;)
        });
        let defined = parts.iter().map(|part| {
            let (cfgs, signature) = (&part.message.cfgs, signature(part));
            let (name, fields) = (&part.message.name, part.fields.iter().map(|(name, _)| name));
            // Braces, for unit structs too: a name that is taken gives fewer errors.
            let message = quote!(#name { #(#fields),* });
            let call = match part.answer {
                Some(_) => quote!(#minder::call(self, #message)),
                None => quote!(#minder::Call::unanswered(self, #message)),
            };
            quote!(#(#cfgs)* #signature { #call })
        });
        let doc = format!(
            "The messages of `{}` as methods of its address: each makes a call, to be awaited or told.",
            block.name
        );
        quote! {
            #[doc = #doc]
            #[allow(dead_code, unreachable_pub, clippy::too_many_arguments, clippy::wrong_self_convention)]
            #visibility trait #calls <#parameters> #bounds { #(#declared)* }

            #[allow(deprecated)]
            impl #implement #calls #types for #minder::Addr<#msg> #bounds { #(#defined)* }
        }
    }

    fn actor(&self, parts: &[Part<'_>]) -> TokenStream {
        let Self { block, minder, msg, .. } = self;
        let actor = &block.actor;
        let (implement, _, bounds) = block.generics.split_for_impl();
        let (kind, send) = match self.arguments.local {
            true => (quote!(LocalActor), quote!()),
            false => (quote!(Actor), quote!(+ ::core::marker::Send)),
        };
        let hooks = block.hooks.iter().map(|hook| hook.expand(minder, msg, &send));
        let mixed = |name| Ident::new(name, Span::mixed_site());
        let (message, context) = (mixed("message"), mixed("_context"));
        let arms = parts.iter().map(|part| self.arm(part, &message, &context));
        let handle = quote!(match #message { #(#arms)* });
        // Without an await there is nothing to suspend: the work is done when the future is made.
        let handle = match parts.iter().any(|part| part.message.is_async) {
            true => quote!(async move { #handle }),
            false => quote!(::core::future::ready::<#minder::Handled>(#handle)),
        };
        let associated = quote_spanned!(block.name.span()=> type Msg = #msg;);
        let redelivery = parts.iter().any(|part| part.message.idempotent).then(|| self.redelivery(parts));
        quote! {
            #[allow(deprecated, unreachable_code, clippy::diverging_sub_expression, clippy::useless_conversion)]
            impl #implement #minder::#kind for #actor #bounds {
                #associated

                fn handle(
                    &mut self,
                    #message: #msg,
                    #context: &mut #minder::Context<#msg>,
                ) -> impl ::core::future::Future<Output = #minder::Handled> #send {
                    #handle
                }

                #redelivery
                #(#hooks)*
            }
        }
    }

    /// One message handled.
    fn arm(&self, part: &Part<'_>, message: &Ident, context: &Ident) -> TokenStream {
        let (minder, variants) = (self.minder, &self.block.msg);
        let Message { name, cfgs, method, arguments, is_async, boxed, returns, crash_on_err, .. } =
            part.message;
        let mixed = |name| Ident::new(name, Span::mixed_site());
        let (reply, result, value, error) = (mixed("reply"), mixed("result"), mixed("value"), mixed("error"));
        let handed = arguments.iter().map(|argument| match argument {
            Argument::Field(name, _) => name,
            Argument::Context => context,
            Argument::Reply(_) => &reply,
        });
        let mut call = quote_spanned!(method.span()=> Self::#method(self, #(#handed),*));
        if *is_async {
            call = quote_spanned!(method.span()=> #call.await);
        }
        let fields = part.fields.iter().map(|(name, _)| name);
        let content = if *boxed { quote!(*#message) } else { quote!(#message) };
        let opened = quote!(let #name { #(#fields),* } = #content;);
        let done = quote!(#minder::Handled::Ok(()));
        let text = name.to_string();
        let unheard = quote! {{
            use #minder::expansion::{ByDebug as _, ByDisplay as _, ByName as _, Describe};
            #minder::expansion::unheard(#context, #text, &(&&&Describe(&#error)).describe());
        }};
        let answers = part.answer.is_some() && part.message.own_reply().is_none();
        let handled = match returns {
            Returns::Nothing | Returns::Value(_) if answers => {
                let value = quote!({ #call });
                quote!(#minder::expansion::answer(#reply, #value, #context); #done)
            }
            Returns::Nothing | Returns::Value(_) => quote!(#call; #done),
            Returns::Result(ty) if *crash_on_err => {
                let answered = match answers {
                    true => quote!(#minder::expansion::answer(#reply, #value, #context)),
                    false => quote!(let () = #value),
                };
                let reason = quote_spanned!(ty.span()=> ::core::convert::From::from(#error));
                quote! {
                    match #minder::expansion::Fallible::into_result(#call) {
                        ::core::result::Result::Ok(#value) => { #answered; #done }
                        ::core::result::Result::Err(#error) => #minder::Handled::Err(#reason),
                    }
                }
            }
            Returns::Result(_) if answers => quote! {
                let #result = #call;
                #minder::expansion::answer_result(#reply, #result, #context, |#context, #error| #unheard);
                #done
            },
            Returns::Result(_) => quote! {
                if let ::core::result::Result::Err(#error) = #minder::expansion::Fallible::into_result(#call) {
                    #unheard
                }
                #done
            },
        };
        let reply = part.answer.as_ref().map(|_| quote!(, #reply));
        quote!(#(#cfgs)* #variants::#name(#message #reply) => { #opened #handled })
    }

    /// The copies of idempotent messages.
    fn redelivery(&self, parts: &[Part<'_>]) -> TokenStream {
        let (msg, variants) = (&self.msg, &self.block.msg);
        let arms = parts.iter().filter(|part| part.message.idempotent).map(|part| {
            let Message { name, cfgs, boxed, .. } = part.message;
            let message = Ident::new("message", Span::mixed_site());
            let fields = part.fields.iter().map(|(field, ty)| {
                // The error of a type that cannot be cloned stands where the type does.
                let clone = quote_spanned!(ty.span()=> <#ty as ::core::clone::Clone>::clone);
                quote!(#field: #clone(&#message.#field))
            });
            let copy = quote!(#name { #(#fields),* });
            let copy = if *boxed { quote!(::std::boxed::Box::new(#copy)) } else { copy };
            let (reply, twin) = match part.answer {
                Some(_) => (quote!(, reply), quote!(, reply.twin())),
                None => (quote!(), quote!()),
            };
            let message = if part.fields.is_empty() { quote!(_) } else { quote!(#message) };
            quote! {
                #(#cfgs)*
                #variants::#name(#message #reply) => ::core::option::Option::Some(#variants::#name(#copy #twin)),
            }
        });
        quote! {
            fn redelivery(message: &#msg) -> ::core::option::Option<#msg> {
                match message {
                    #(#arms)*
                    #[allow(unreachable_patterns)]
                    _ => ::core::option::Option::None,
                }
            }
        }
    }

    /// What the compiler is to check where the user wrote it, before it trips over what was generated.
    fn checks(&self, parts: &[Part<'_>]) -> TokenStream {
        let sizes = parts.iter().filter(|part| part.generics.params.is_empty()).map(|part| {
            let (cfgs, check) = (&part.message.cfgs, self.size_check(part));
            check.map(|check| quote!(#(#cfgs)* const _: () = #check;))
        });
        let checks = parts.iter().map(|part| {
            let cfgs = &part.message.cfgs;
            let types = part.fields.iter().map(|(_, ty)| ty).chain(&part.answer);
            // A bound that speaks of no parameter is judged where it stands; others are the impl block's to promise.
            let bounds =
                types.filter(|ty| used(&self.block.generics, &ty.to_token_stream()).params.is_empty());
            let bounds = bounds.map(|ty| quote_spanned!(ty.span()=> #ty: ::core::marker::Send + 'static));
            let reason = self.reason_check(part);
            quote!(#(#cfgs)* #[allow(dead_code)] fn checked() where #(#bounds,)* #reason {})
        });
        quote!(#(const _: () = { #checks };)* #(#sizes)*)
    }

    /// Whether the error of a `#[crash_on_err]` can be an exit reason.
    fn reason_check(&self, part: &Part<'_>) -> Option<TokenStream> {
        let Returns::Result(ty) = &part.message.returns else { return None };
        let ty = without_self(ty.to_token_stream(), &self.block.actor);
        if !part.message.crash_on_err || !used(&self.block.generics, &ty).params.is_empty() {
            return None;
        }
        let minder = self.minder;
        let error = quote!(<#ty as #minder::expansion::Fallible>::Error);
        Some(quote_spanned!(ty.span()=> #minder::ExitReason: ::core::convert::From<#error>))
    }

    /// Whether a message fits into its place; nothing for one in a box.
    fn size_check(&self, part: &Part<'_>) -> Option<TokenStream> {
        if part.message.boxed || part.fields.is_empty() {
            return None;
        }
        let (minder, limit, ty) = (self.minder, self.arguments.slot, &part.ty);
        let Message { name, method, .. } = part.message;
        let text = format!(
            "the message `{name}` takes more than {limit} bytes, and so would every place in the mailbox: mark \
             `{method}` with `#[boxed]`, or allow more with `#[actor(slot = …)]`"
        );
        let reply = part.answer.as_ref().map(|_| quote!(+ ::core::mem::size_of::<#minder::Reply<()>>()));
        Some(quote_spanned! {method.span()=>
            const { ::core::assert!(::core::mem::size_of::<#ty>() #reply <= #limit, #text) }
        })
    }
}

impl Part<'_> {
    /// The struct as it stands in the enum.
    fn content(&self) -> TokenStream {
        let ty = &self.ty;
        if self.message.boxed { quote!(::std::boxed::Box<#ty>) } else { quote!(#ty) }
    }

    /// Puts the struct into the enum.
    fn put(&self, message: &Ident) -> TokenStream {
        if self.message.boxed { quote!(::std::boxed::Box::new(#message)) } else { quote!(#message) }
    }

    /// What an awaited call gives, and how it is made of what was asked.
    fn outcome(&self, expansion: &Expansion<'_>, answer: &Type) -> (TokenStream, TokenStream) {
        let (minder, msg) = (expansion.minder, &expansion.msg);
        let is_flattened = matches!(self.message.returns, Returns::Result(_))
            && !self.message.crash_on_err
            && self.message.own_reply().is_none();
        if !is_flattened {
            return (quote!(::core::result::Result<#answer, #minder::AskError<#msg>>), quote!(asked));
        }
        let of = |part: TokenStream| quote!(<#answer as #minder::expansion::Fallible>::#part);
        let (value, error) = (of(quote!(Value)), of(quote!(Error)));
        let outcome = quote!(::core::result::Result<#value, #minder::CallError<#msg, #error>>);
        (outcome, quote!(#minder::expansion::flatten(asked)))
    }
}

/// The user's documentation, or else this.
fn documented(docs: &[syn::Attribute], otherwise: &str) -> TokenStream {
    let has_docs = docs.iter().any(|attribute| attribute.path().is_ident("doc"));
    let otherwise = (!has_docs).then(|| quote!(#[doc = #otherwise]));
    quote!(#(#docs)* #otherwise)
}
