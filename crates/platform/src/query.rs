//! The query of an address. A value that is wrong is told by its name, in the contract's words, and an empty one is as
//! good as none.

use std::ops::Deref;

use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use futures_util::future::{Ready, ready};
use serde::{
    Deserializer,
    de::{
        self, DeserializeOwned, Expected, IntoDeserializer, Unexpected, Visitor,
        value::{Error, MapDeserializer, StringDeserializer},
    },
    forward_to_deserialize_any,
};

use crate::{AppError, AppResult, body};

/// A request's query, as a handler's parameter. What it has beyond `T` does not matter.
#[derive(Clone, Copy, Debug)]
pub struct Query<T>(T);

impl<T> Query<T> {
    /// The query, read.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for Query<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = AppError;
    type Future = Ready<AppResult<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(read(request.query_string()).map(Self))
    }
}

fn read<T: DeserializeOwned>(query: &str) -> AppResult<T> {
    let pairs = web::Query::<Vec<(String, String)>>::from_query(query);
    let pairs = pairs.map_err(|_| AppError::field("query", "is not well-formed"))?.into_inner();
    let given = pairs.into_iter().filter(|(_, text)| !text.is_empty());
    let given = given.map(|(name, text)| (name, Text(text)));
    serde_path_to_error::deserialize(MapDeserializer::<_, Error>::new(given))
        .map_err(|error| body::wrong(error.path(), "query", &error.inner().to_string()))
}

/// A value, which is all text: what it is read as depends on what is wanted.
struct Text(String);

impl Text {
    fn unlike(&self, wanted: &dyn Expected) -> Error {
        de::Error::invalid_type(Unexpected::Str(&self.0), wanted)
    }

    fn whole_number<'de, V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if let Ok(number) = self.0.parse() {
            return visitor.visit_i64(number);
        }
        match self.0.parse() {
            Ok(number) => visitor.visit_u64(number),
            Err(_) => Err(self.unlike(&visitor)),
        }
    }
}

impl IntoDeserializer<'_, Error> for Text {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! whole_numbers {
    ($($name:ident)*) => {$(
        fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.whole_number(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Text {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_string(self.0)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0.as_str() {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            _ => Err(self.unlike(&visitor)),
        }
    }

    whole_numbers! {
        deserialize_i8
        deserialize_i16
        deserialize_i32
        deserialize_i64
        deserialize_u8
        deserialize_u16
        deserialize_u32
        deserialize_u64
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let word: StringDeserializer<Error> = self.0.into_deserializer();
        visitor.visit_enum(word)
    }

    forward_to_deserialize_any! {
        i128 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct
        identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use contract::{GenerationId, GenerationStatus};
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    #[serde(rename_all = "camelCase")]
    struct Sample {
        status: Option<GenerationStatus>,
        generation_id: Option<GenerationId>,
        limit: Option<i64>,
        width: Option<u32>,
        text: Option<String>,
        #[serde(default)]
        flag: bool,
    }

    #[test]
    fn values_are_read_as_what_they_are_to_be() {
        let id = GenerationId::new();
        let query =
            format!("status=queued&generationId={id}&limit=-7&width=8&text=a+b%26c&flag=true&more=1&more=2");
        let expected = Sample {
            status: Some(GenerationStatus::Queued),
            generation_id: Some(id),
            limit: Some(-7),
            width: Some(8),
            text: Some("a b&c".to_owned()),
            flag: true,
        };
        assert_eq!(read::<Sample>(&query).unwrap(), expected);
    }

    #[test]
    fn what_is_empty_is_absent() {
        for query in ["", "&&", "status=&generationId=&limit=&width=&text=&flag=", "status&limit&text&flag"] {
            assert_eq!(read::<Sample>(query).unwrap(), Sample::default(), "{query}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_by_its_name() {
        let statuses = GenerationStatus::ALL.iter().map(|status| format!("\"{status}\""));
        let one_of = format!("must be one of {}", statuses.collect::<Vec<_>>().join(", "));
        for (query, field, message) in [
            ("status=done", "status", one_of.as_str()),
            ("limit=1&status=a,+expected+b", "status", &one_of),
            ("generationId=7", "generationId", "not an identifier of the form gen_<32 hexadecimal digits>"),
            ("limit=x", "limit", "must be a whole number"),
            ("limit=1.5", "limit", "must be a whole number"),
            ("width=-1", "width", "must be a whole number from 0 to 4294967295"),
            ("width=4294967296", "width", "must be a whole number from 0 to 4294967295"),
            ("width=18446744073709551616", "width", "must be a whole number"),
            ("flag=yes", "flag", "must be true or false"),
            ("limit=1&limit=2", "limit", "is there twice"),
        ] {
            let problem = read::<Sample>(query).unwrap_err().problem("");
            let told: Vec<_> =
                problem.errors.iter().map(|error| (error.field.as_str(), error.message.as_str())).collect();
            assert_eq!((problem.status, told), (422, vec![(field, message)]), "{query}");
        }
    }
}
