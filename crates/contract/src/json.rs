//! JSON as both services take it from others: nested no deeper than so, and a structure only where an object stands.
//! serde reads a derived structure from an array, too, field by field, so that `[]` would be as good as `{}`; nobody
//! who writes that means it. Pure.

use std::fmt;

use serde::de::{
    self, Deserialize, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess,
    Visitor,
};

/// The deepest nesting of JSON.
pub const DEPTH: usize = 32;

/// Whether arrays and objects nest deeper than [`DEPTH`]. It reads brackets outside of texts and needs no stack.
#[must_use]
pub fn is_too_deep(bytes: &[u8]) -> bool {
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for byte in bytes {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            b'{' | b'[' if !in_text => depth += 1,
            b'}' | b']' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > DEPTH {
            return true;
        }
    }
    false
}

/// Reads a value by [`ByObjects`]. How deep it nests is not looked at.
///
/// # Errors
/// If it is not JSON, or not of this type.
pub fn from_slice<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, serde_json::Error> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = T::deserialize(ByObjects(&mut reader))?;
    reader.end()?;
    Ok(value)
}

/// Around a deserializer: reads structures from objects alone, at every depth, and all else as that one does. It goes
/// along into what is read: around visitors, seeds and accesses. What serde keeps for later (an untagged or flattened
/// value) it does not follow.
#[derive(Clone, Copy, Debug)]
pub struct ByObjects<T>(pub T);

macro_rules! forwarded {
    ($($name:ident($($argument:ident: $kind:ty),*))*) => {$(
        fn $name<V: Visitor<'de>>(self, $($argument: $kind,)* visitor: V) -> Result<V::Value, Self::Error> {
            self.0.$name($($argument,)* ByObjects(visitor))
        }
    )*};
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for ByObjects<D> {
    type Error = D::Error;

    forwarded! {
        deserialize_any()
        deserialize_bool()
        deserialize_i8()
        deserialize_i16()
        deserialize_i32()
        deserialize_i64()
        deserialize_i128()
        deserialize_u8()
        deserialize_u16()
        deserialize_u32()
        deserialize_u64()
        deserialize_u128()
        deserialize_f32()
        deserialize_f64()
        deserialize_char()
        deserialize_str()
        deserialize_string()
        deserialize_bytes()
        deserialize_byte_buf()
        deserialize_option()
        deserialize_unit()
        deserialize_unit_struct(name: &'static str)
        deserialize_newtype_struct(name: &'static str)
        deserialize_seq()
        deserialize_tuple(length: usize)
        deserialize_tuple_struct(name: &'static str, length: usize)
        deserialize_map()
        deserialize_enum(name: &'static str, variants: &'static [&'static str])
        deserialize_identifier()
        deserialize_ignored_any()
    }

    /// Of the kinds of values, a map is the one that is never read from an array.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Self::Error> {
        self.0.deserialize_map(ByObjects(visitor))
    }

    fn is_human_readable(&self) -> bool {
        self.0.is_human_readable()
    }
}

macro_rules! visited {
    ($($name:ident($kind:ty))*) => {$(
        fn $name<E: de::Error>(self, value: $kind) -> Result<Self::Value, E> {
            self.0.$name(value)
        }
    )*};
}

impl<'de, V: Visitor<'de>> Visitor<'de> for ByObjects<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    visited! {
        visit_bool(bool)
        visit_i8(i8)
        visit_i16(i16)
        visit_i32(i32)
        visit_i64(i64)
        visit_i128(i128)
        visit_u8(u8)
        visit_u16(u16)
        visit_u32(u32)
        visit_u64(u64)
        visit_u128(u128)
        visit_f32(f32)
        visit_f64(f64)
        visit_char(char)
        visit_str(&str)
        visit_borrowed_str(&'de str)
        visit_string(String)
        visit_bytes(&[u8])
        visit_borrowed_bytes(&'de [u8])
        visit_byte_buf(Vec<u8>)
    }

    fn visit_none<E: de::Error>(self) -> Result<Self::Value, E> {
        self.0.visit_none()
    }

    fn visit_unit<E: de::Error>(self) -> Result<Self::Value, E> {
        self.0.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<Self::Value, D::Error> {
        self.0.visit_some(ByObjects(value))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, value: D) -> Result<Self::Value, D::Error> {
        self.0.visit_newtype_struct(ByObjects(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<Self::Value, A::Error> {
        self.0.visit_seq(ByObjects(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
        self.0.visit_map(ByObjects(members))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, variant: A) -> Result<Self::Value, A::Error> {
        self.0.visit_enum(ByObjects(variant))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for ByObjects<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(ByObjects(from))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for ByObjects<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(ByObjects(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for ByObjects<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_key_seed(seed)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(ByObjects(seed))
    }

    fn size_hint(&self) -> Option<usize> {
        self.0.size_hint()
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for ByObjects<A> {
    type Error = A::Error;
    type Variant = ByObjects<A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), A::Error> {
        let (value, variant) = self.0.variant_seed(seed)?;
        Ok((value, ByObjects(variant)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for ByObjects<A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.0.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.0.newtype_variant_seed(ByObjects(seed))
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.0.tuple_variant(length, ByObjects(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, A::Error> {
        self.0.newtype_variant_seed(Members(visitor))
    }
}

/// Reads what belongs to a variant with named fields, from an object alone, too.
struct Members<V>(V);

impl<'de, V: Visitor<'de>> DeserializeSeed<'de> for Members<V> {
    type Value = V::Value;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<V::Value, D::Error> {
        from.deserialize_map(ByObjects(self.0))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::{Value, json};

    use super::*;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Sample {
        number: u8,
        maybe: Option<Inner>,
        wrapped: Wrapped,
        list: Vec<Inner>,
        map: BTreeMap<String, Inner>,
        pair: (u8, Inner),
        choice: Choice,
        anything: Value,
    }

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(default)]
    struct Inner {
        text: String,
    }

    #[derive(Debug, Default, Deserialize, PartialEq)]
    struct Wrapped(Inner);

    #[derive(Debug, Default, Deserialize, PartialEq)]
    enum Choice {
        #[default]
        Plain,
        Holding(Inner),
        Naming {
            text: String,
        },
    }

    fn read(value: &Value) -> Result<Sample, serde_json::Error> {
        from_slice(value.to_string().as_bytes())
    }

    #[test]
    fn what_is_no_structure_is_read_as_ever() {
        let whole = json!({
            "number": 7,
            "maybe": {"text": "a"},
            "wrapped": {"text": "b"},
            "list": [{"text": "c"}, {}],
            "map": {"d": {"text": "d"}},
            "pair": [1, {"text": "e"}],
            "choice": {"Naming": {"text": "f"}},
            "anything": [[], {}, null, 1.5],
        });
        assert_eq!(read(&whole).unwrap(), serde_json::from_value(whole).unwrap());
        for choice in [json!("Plain"), json!({"Holding": {"text": "g"}})] {
            let whole = json!({"choice": choice, "maybe": null});
            assert_eq!(read(&whole).unwrap(), serde_json::from_value(whole).unwrap());
        }
    }

    #[test]
    fn an_array_is_no_structure_wherever_it_stands() {
        for array in [
            json!([]),
            json!([7]),
            json!({"maybe": []}),
            json!({"maybe": ["a"]}),
            json!({"wrapped": ["b"]}),
            json!({"list": [["c"]]}),
            json!({"list": [[]]}),
            json!({"map": {"d": ["d"]}}),
            json!({"pair": [1, ["e"]]}),
            json!({"choice": {"Naming": ["f"]}}),
            json!({"choice": {"Holding": ["g"]}}),
        ] {
            assert!(serde_json::from_str::<Sample>(&array.to_string()).is_ok(), "serde takes {array}");
            let error = read(&array).unwrap_err();
            assert!(error.is_data(), "{array}: {error}");
            assert!(error.to_string().starts_with("invalid type: sequence, expected struct"), "{error}");
        }
    }

    #[test]
    fn nothing_may_follow() {
        assert!(from_slice::<Sample>(b"{} ").is_ok());
        assert!(from_slice::<Sample>(b"{}{}").is_err());
    }

    #[test]
    fn depth_is_bounded_and_brackets_in_texts_do_not_count() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(!is_too_deep(nested(DEPTH).as_bytes()));
        assert!(is_too_deep(nested(DEPTH + 1).as_bytes()));
        assert!(!is_too_deep(format!("\"{}\\\"{}\"", "[".repeat(40), "{".repeat(40)).as_bytes()));
    }
}
