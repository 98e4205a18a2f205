//! A layer between a type and the decoder that believes no length and follows no endless nesting.
//! Alone, the decoder allocates what a string claims to be, and recurses as deep as the bytes say.
//! Knows no format: it wraps any serde deserializer whose sequences say how long they claim to be.

use core::fmt;
use core::marker::PhantomData;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};

/// How deep values may be nested in one another before they are refused.
pub const MAX_DEPTH: u16 = 128;

/// Deserializes a `T` strictly.
pub(crate) struct Seed<T> {
    guard: Guard,
    of: PhantomData<T>,
}

impl<T> Seed<T> {
    /// A seed for a payload of this length: no sequence, map or string in it can have more elements.
    pub(crate) fn new(payload_bytes: usize) -> Self {
        Self { guard: Guard { longest: payload_bytes, depth: 0 }, of: PhantomData }
    }
}

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Seed<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<T, D::Error> {
        T::deserialize(Strict { inner, guard: self.guard })
    }
}

#[derive(Clone, Copy)]
struct Guard {
    longest: usize,
    depth: u16,
}

impl Guard {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        if self.depth >= MAX_DEPTH {
            return Err(E::custom(format_args!(
                "values nested more than {MAX_DEPTH} deep; recursive types are not for this codec"
            )));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }

    /// Each element takes at least one byte, so an honest length is at most the payload's.
    fn believe<E: Error>(self, claimed: Option<usize>) -> Result<(), E> {
        match claimed {
            Some(claimed) if claimed > self.longest => Err(E::custom(format_args!(
                "a sequence claims {claimed} elements in a payload of {} bytes",
                self.longest
            ))),
            _ => Ok(()),
        }
    }
}

/// Any part of serde's machinery, watched.
struct Strict<I> {
    inner: I,
    guard: Guard,
}

/// Plain values pass; there is nothing to watch.
macro_rules! pass {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.inner.$method(visitor)
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Strict<D> {
    type Error = D::Error;

    pass! {
        deserialize_any deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_i128 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64 deserialize_char deserialize_str deserialize_bytes deserialize_unit
        deserialize_identifier deserialize_ignored_any
    }

    /// Borrowed from the payload and then copied: the claimed length is held against the bytes first.
    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_str(visitor)
    }

    /// As with strings.
    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.inner.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let guard = self.guard.deeper()?;
        self.inner.deserialize_option(Strict { inner: visitor, guard })
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.inner.deserialize_unit_struct(name, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let guard = self.guard.deeper()?;
        self.inner.deserialize_newtype_struct(name, Strict { inner: visitor, guard })
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let guard = self.guard.deeper()?;
        self.inner.deserialize_seq(Claimed(Strict { inner: visitor, guard }))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, D::Error> {
        let guard = self.guard.deeper()?;
        self.inner.deserialize_tuple(len, Strict { inner: visitor, guard })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let guard = self.guard.deeper()?;
        self.inner.deserialize_tuple_struct(name, len, Strict { inner: visitor, guard })
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let guard = self.guard.deeper()?;
        self.inner.deserialize_map(Claimed(Strict { inner: visitor, guard }))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let guard = self.guard.deeper()?;
        self.inner.deserialize_struct(name, fields, Strict { inner: visitor, guard })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let guard = self.guard.deeper()?;
        self.inner.deserialize_enum(name, variants, Strict { inner: visitor, guard })
    }

    fn is_human_readable(&self) -> bool {
        self.inner.is_human_readable()
    }
}

/// A visitor of values that hold other values: those are deserialized strictly in turn.
/// The lengths of tuples and structs come from the type and need no doubt.
impl<'de, V: Visitor<'de>> Visitor<'de> for Strict<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.inner.visit_some(Strict { inner, guard: self.guard })
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.inner.visit_newtype_struct(Strict { inner, guard: self.guard })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        self.inner.visit_seq(Strict { inner, guard: self.guard })
    }

    fn visit_map<A: MapAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        self.inner.visit_map(Strict { inner, guard: self.guard })
    }

    fn visit_enum<A: EnumAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        self.inner.visit_enum(Strict { inner, guard: self.guard })
    }
}

/// A visitor of sequences and maps whose length was read from the bytes: a claim, to be doubted first.
struct Claimed<V>(Strict<V>);

impl<'de, V: Visitor<'de>> Visitor<'de> for Claimed<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.inner.expecting(f)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        self.0.guard.believe(inner.size_hint())?;
        self.0.visit_seq(inner)
    }

    fn visit_map<A: MapAccess<'de>>(self, inner: A) -> Result<V::Value, A::Error> {
        self.0.guard.believe(inner.size_hint())?;
        self.0.visit_map(inner)
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Strict<A> {
    type Error = A::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, A::Error> {
        self.inner.next_element_seed(Strict { inner: seed, guard: self.guard })
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Strict<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        self.inner.next_key_seed(Strict { inner: seed, guard: self.guard })
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, A::Error> {
        self.inner.next_value_seed(Strict { inner: seed, guard: self.guard })
    }

    fn size_hint(&self) -> Option<usize> {
        self.inner.size_hint()
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for Strict<A> {
    type Error = A::Error;
    type Variant = Strict<A::Variant>;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self::Variant), A::Error> {
        let guard = self.guard;
        let (value, inner) = self.inner.variant_seed(seed)?;
        Ok((value, Strict { inner, guard }))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Strict<A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.inner.unit_variant()
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, A::Error> {
        self.inner.newtype_variant_seed(Strict { inner: seed, guard: self.guard })
    }

    fn tuple_variant<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.inner.tuple_variant(len, Strict { inner: visitor, guard: self.guard })
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.inner.struct_variant(fields, Strict { inner: visitor, guard: self.guard })
    }
}

impl<'de, T: DeserializeSeed<'de>> DeserializeSeed<'de> for Strict<T> {
    type Value = T::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<T::Value, D::Error> {
        self.inner.deserialize(Strict { inner, guard: self.guard })
    }
}
