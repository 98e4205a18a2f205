//! The attributes that `#[actor]` understands on methods. They are taken off before the method is written out again.

use syn::{Attribute, Error, Ident, ImplItem, ItemImpl, Meta, Result};

const ALL: [&str; 6] = ["plain", "message", "tell", "boxed", "idempotent", "crash_on_err"];

/// Which of them a method has.
#[derive(Default)]
pub(crate) struct Markers {
    /// Not a message.
    pub(crate) plain: Option<Ident>,
    /// A message whatever its name; perhaps under another name.
    pub(crate) message: Option<(Ident, Option<Ident>)>,
    /// Never asked.
    pub(crate) tell: Option<Ident>,
    /// Its content stands in a box.
    pub(crate) boxed: Option<Ident>,
    /// May be handled twice.
    pub(crate) idempotent: Option<Ident>,
    /// Its `Err` ends the incarnation.
    pub(crate) crash_on_err: Option<Ident>,
}

impl Markers {
    /// Takes the markers out of the attributes of a method.
    pub(crate) fn take(attributes: &mut Vec<Attribute>) -> Result<Self> {
        let mut markers = Self::default();
        let mut kept = Vec::with_capacity(attributes.len());
        for attribute in attributes.drain(..) {
            match attribute.path().get_ident().cloned() {
                Some(name) if markers.put(&name, &attribute)? => {}
                _ => kept.push(attribute),
            }
        }
        *attributes = kept;
        markers.check()?;
        Ok(markers)
    }

    /// Takes the markers off all methods, whatever may be wrong with them.
    pub(crate) fn strip(block: &mut ItemImpl) {
        for item in &mut block.items {
            if let ImplItem::Fn(function) = item {
                function.attrs.retain(|attribute| !ALL.iter().any(|name| attribute.path().is_ident(name)));
            }
        }
    }

    /// Whether it was a marker.
    fn put(&mut self, name: &Ident, attribute: &Attribute) -> Result<bool> {
        let place = match name.to_string().as_str() {
            "plain" => &mut self.plain,
            "tell" => &mut self.tell,
            "boxed" => &mut self.boxed,
            "idempotent" => &mut self.idempotent,
            "crash_on_err" => &mut self.crash_on_err,
            "message" => {
                let renamed = match &attribute.meta {
                    Meta::Path(_) => None,
                    _ => Some(attribute.parse_args::<Ident>().map_err(|error| {
                        Error::new(
                            error.span(),
                            "write `#[message]`, or `#[message(Name)]` to name its struct",
                        )
                    })?),
                };
                return match self.message.replace((name.clone(), renamed)) {
                    None => Ok(true),
                    Some(_) => Err(twice(name)),
                };
            }
            _ => return Ok(false),
        };
        if !matches!(attribute.meta, Meta::Path(_)) {
            return Err(Error::new(
                name.span(),
                format!("`#[{name}]` takes no arguments: write only `#[{name}]`"),
            ));
        }
        if place.replace(name.clone()).is_some() {
            return Err(twice(name));
        }
        Ok(true)
    }

    fn check(&self) -> Result<()> {
        if self.plain.is_some() {
            self.none_but_plain("a `#[plain]` method is no message: leave out this marker, or `#[plain]`")?;
        }
        Ok(())
    }

    /// A method that is no message has none of the markers that say how a message is treated.
    pub(crate) fn none_but_plain(&self, why: &str) -> Result<()> {
        let message = self.message.as_ref().map(|(marker, _)| marker);
        let others = [message, self.tell.as_ref(), self.boxed.as_ref(), self.idempotent.as_ref()];
        match others.into_iter().chain([self.crash_on_err.as_ref()]).flatten().next() {
            Some(marker) => Err(Error::new(marker.span(), why)),
            None => Ok(()),
        }
    }
}

fn twice(name: &Ident) -> Error {
    Error::new(name.span(), format!("`#[{name}]` stands here twice: leave one of them"))
}
