//! Parameters: scalars from the host to typed values, checked once a call.

use std::ops::RangeInclusive;

use crate::Day;
use crate::contract::{DataType, Failure, Scalar};

/// A type that a parameter can have: `f64`, `i64`, `bool`, [`Day`], `String`.
pub trait ParameterType: Sized + PartialOrd {
    /// How the type's defaults and bounds are written in a declaration.
    type Literal;
    /// The type in the contract.
    const DATA_TYPE: DataType;
    /// The value of a default or bound of the declaration.
    fn from_literal(literal: Self::Literal) -> Self;
    /// The value as it crosses to the host.
    fn to_scalar(&self) -> Scalar;
    /// The value the host gave, if it has this type and is a value at all.
    fn from_scalar(scalar: Scalar) -> Option<Self>;
}

macro_rules! parameter_type {
    ($type:ty, $literal:ty, $kind:ident, $from:expr, $to:expr, $take:expr) => {
        impl ParameterType for $type {
            type Literal = $literal;
            const DATA_TYPE: DataType = DataType::$kind;
            fn from_literal(literal: $literal) -> Self {
                ($from)(literal)
            }
            fn to_scalar(&self) -> Scalar {
                Scalar::$kind(($to)(self))
            }
            fn from_scalar(scalar: Scalar) -> Option<Self> {
                match scalar {
                    Scalar::$kind(v) => ($take)(v),
                    _ => None,
                }
            }
        }
    };
}

parameter_type!(f64, f64, Float64, |v| v, |v: &f64| *v, |v: f64| v
    .is_finite()
    .then_some(v));
parameter_type!(i64, i64, Int64, |v| v, |v: &i64| *v, Some);
parameter_type!(bool, bool, Boolean, |v| v, |v: &bool| *v, Some);
parameter_type!(
    String,
    &'static str,
    Text,
    str::to_owned,
    String::clone,
    Some
);
// A default that is no date is the author's slip, and the first call to `describe` shows it.
parameter_type!(
    Day,
    &'static str,
    Date,
    literal_day,
    |d: &Day| d.days(),
    Day::from_days
);

#[expect(
    clippy::panic,
    reason = "a declaration that is wrong cannot be described"
)]
fn literal_day(text: &'static str) -> Day {
    match Day::parse(text) {
        Some(day) => day,
        None => {
            panic!("`{text}` in a parameter's declaration is not a date of the form YYYY-MM-DD")
        }
    }
}

/// The parameters of one call, taken one after the other in the declaration's order.
#[derive(Debug)]
pub struct ScalarArgs(std::vec::IntoIter<Scalar>);

impl ScalarArgs {
    /// Takes what the host gave.
    #[must_use]
    pub fn new(scalars: Vec<Scalar>) -> ScalarArgs {
        ScalarArgs(scalars.into_iter())
    }

    /// The next parameter.
    ///
    /// # Errors
    /// [`Failure::InvalidParameter`] when there is none, when it has another type, when it is no
    /// number, or when it lies outside the declared range.
    pub fn take<T: ParameterType>(
        &mut self,
        name: &str,
        range: Option<RangeInclusive<T>>,
    ) -> Result<T, Failure> {
        let bad = |message: String| Failure::InvalidParameter((name.to_owned(), message));
        let scalar = self
            .0
            .next()
            .ok_or_else(|| bad("the host gave no value for it".into()))?;
        let shown = format!("{scalar:?}");
        let kind = T::DATA_TYPE;
        let value = T::from_scalar(scalar).ok_or_else(|| {
            bad(format!(
                "{shown} is not a value of the declared type {kind:?}"
            ))
        })?;
        match range {
            Some(range) if !range.contains(&value) => Err(bad(format!(
                "{shown} lies outside {:?} to {:?}",
                range.start().to_scalar(),
                range.end().to_scalar()
            ))),
            _ => Ok(value),
        }
    }

    /// Ends the taking.
    ///
    /// # Errors
    /// [`Failure::Internal`] when the host gave more than was declared.
    pub fn done(mut self) -> Result<(), Failure> {
        match self.0.next() {
            None => Ok(()),
            Some(_) => Err(Failure::Internal(
                "the host gave more parameters than are declared".into(),
            )),
        }
    }
}
