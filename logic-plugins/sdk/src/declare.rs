//! The macro [`logic!`](crate::logic): a declaration and a row function to a component.

use crate::contract::{Bound, DataType, Field};

/// A doc comment's lines, as one sentence after the other.
#[must_use]
pub fn doc(lines: &[&str]) -> String {
    lines
        .iter()
        .map(|l| l.trim())
        .filter(|l| !l.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// A field of the declaration.
#[must_use]
pub fn field(
    name: &str,
    data_type: DataType,
    unit: Option<&str>,
    nullable: bool,
    lines: &[&str],
) -> Field {
    Field {
        name: name.to_owned(),
        data_type,
        unit: unit.map(str::to_owned),
        nullable,
        doc: doc(lines),
    }
}

/// A number that stands as a guardrail's bound.
pub trait BoundLiteral {
    /// The bound.
    fn bound(self) -> Bound;
}

impl BoundLiteral for f64 {
    fn bound(self) -> Bound {
        Bound::Value(self)
    }
}

impl BoundLiteral for i32 {
    fn bound(self) -> Bound {
        Bound::Value(f64::from(self))
    }
}

/// Declares a logic and makes it a component. See the crate's page for an example.
///
/// * `inputs`: `name: Type ["unit"] = "feature",` — without a feature, the column of that name.
///   Types: `f64`, `i64`, `bool`, `Day`, `&'a str`, `Series<'a>`, or an `Option`, which admits nulls.
///   The feature is the host's: `NAME`, `NAME:AGGREGATE`, `NAME:AGGREGATE:WINDOW`.
/// * `parameters`: `name: Type ["unit"] = default in low..=high,` — the range may be left out.
/// * `outputs`: `role name: Type ["unit"] = "formula",` — role is `outcome`, `term` or `reason`; the
///   formula uses names of inputs, parameters and outputs, so that `explain` can put values in.
/// * `guardrails`: `severity output: low..=high,` — severity is `warn` or `crit`; a bound is a
///   number, the name of a parameter, or `_` for none.
/// * `monitors`: `metric(subject) above warn, crit;` or `below`; the subject may be left out, and
///   `, min_rows N` may follow. Each rule holds for every series and for the fleet.
/// * `annotations`: `"key": "text",` — `not-accounted-for` is what `explain` lists as such.
///
/// Doc comments are the `doc` of the field. Order is part of the contract.
#[macro_export]
macro_rules! logic {
    (
        name: $name:literal,
        version: $version:literal,
        summary: $summary:literal,
        inputs: struct $inputs:ident $(<$lt:lifetime>)? { $(
            $(#[doc = $idoc:literal])* $input:ident : $ity:ty $([$iunit:literal])? $(= $feature:literal)?
        ),* $(,)? },
        parameters: struct $parameters:ident { $(
            $(#[doc = $pdoc:literal])* $parameter:ident : $pty:ty $([$punit:literal])?
                = $default:literal $(in $low:literal ..= $high:literal)?
        ),* $(,)? },
        outputs: struct $outputs:ident { $(
            $(#[doc = $odoc:literal])* $role:ident $output:ident : $oty:ty $([$ounit:literal])? $(= $formula:literal)?
        ),* $(,)? },
        guardrails: { $( $severity:ident $guarded:ident : $minimum:tt ..= $maximum:tt ),* $(,)? },
        monitors: { $(
            $metric:ident $(($subject:ident))? $direction:ident $warn:literal, $crit:literal $(, min_rows $min_rows:literal)? ;
        )* },
        annotations: { $( $key:literal : $text:literal ),* $(,)? },
        compute: $row:path $(,)?
    ) => {
        /// What one row is computed from.
        #[derive(Clone, Copy, Debug, PartialEq)]
        pub struct $inputs $(<$lt>)? { $( $(#[doc = $idoc])* pub $input: $ity, )* }

        /// What all rows of a run share.
        #[derive(Clone, Debug, PartialEq)]
        pub struct $parameters { $( $(#[doc = $pdoc])* pub $parameter: $pty, )* }

        impl Default for $parameters {
            fn default() -> Self {
                $parameters { $( $parameter: <$pty as $crate::glue::ParameterType>::from_literal($default), )* }
            }
        }

        /// What one row gives.
        #[derive(Clone, Debug, PartialEq)]
        pub struct $outputs { $( $(#[doc = $odoc])* pub $output: $oty, )* }

        /// The logic as the contract sees it.
        #[derive(Debug)]
        pub struct Logic;

        /// The declaration.
        #[must_use]
        pub fn describe $(<$lt>)? () -> $crate::contract::Description {
            $crate::contract::Description {
                name: $name.into(),
                version: $version.into(),
                summary: $summary.into(),
                inputs: vec![ $( $crate::contract::Input {
                    field: $crate::glue::field(
                        stringify!($input),
                        <$ity as $crate::glue::InputType>::DATA_TYPE,
                        $crate::logic!(@first $(Some($iunit),)? None),
                        <$ity as $crate::glue::InputType>::NULLABLE,
                        &[$($idoc),*],
                    ),
                    feature: $crate::logic!(@first $($feature,)? stringify!($input)).into(),
                } ),* ],
                parameters: vec![ $( {
                    type T = $pty;
                    let scalar = |v| $crate::glue::ParameterType::to_scalar(&<T as $crate::glue::ParameterType>::from_literal(v));
                    let unit: Option<&str> = $crate::logic!(@first $(Some($punit),)? None);
                    $crate::contract::Parameter {
                        name: stringify!($parameter).into(),
                        unit: unit.map(Into::into),
                        default: scalar($default),
                        minimum: $crate::logic!(@first $(Some(scalar($low)),)? None),
                        maximum: $crate::logic!(@first $(Some(scalar($high)),)? None),
                        doc: $crate::glue::doc(&[$($pdoc),*]),
                    }
                } ),* ],
                outputs: vec![ $( {
                    let formula: Option<&str> = $crate::logic!(@first $(Some($formula),)? None);
                    $crate::contract::Output {
                        field: $crate::glue::field(
                            stringify!($output),
                            <$oty as $crate::glue::OutputType>::DATA_TYPE,
                            $crate::logic!(@first $(Some($ounit),)? None),
                            <$oty as $crate::glue::OutputType>::NULLABLE,
                            &[$($odoc),*],
                        ),
                        role: $crate::logic!(@role $role),
                        formula: formula.map(Into::into),
                    }
                } ),* ],
                guardrails: vec![ $( $crate::contract::Guardrail {
                    output: stringify!($guarded).into(),
                    minimum: $crate::logic!(@bound $minimum),
                    maximum: $crate::logic!(@bound $maximum),
                    severity: $crate::logic!(@severity $severity),
                } ),* ],
                monitors: [ $( {
                    let subject: Option<&str> = $crate::logic!(@first $(Some(stringify!($subject)),)? None);
                    [$crate::contract::Scope::Fleet, $crate::contract::Scope::Series].map(|scope| $crate::contract::MonitorRule {
                        metric: stringify!($metric).into(),
                        subject: subject.map(Into::into),
                        scope,
                        direction: $crate::logic!(@direction $direction),
                        warn: Some($warn),
                        crit: Some($crit),
                        min_rows: $crate::logic!(@first $($min_rows,)? 1),
                    })
                } ),* ].into_iter().flatten().collect(),
                annotations: vec![ $( ($key.into(), $text.into()) ),* ],
            }
        }

        const _: () = {
            // A guardrail on an output that does not exist does not compile.
            #[allow(dead_code, reason = "only its types matter")]
            fn guarded(o: &$outputs) { $( let _ = &o.$guarded; )* }

            struct Writers { $( $output: $crate::glue::Writer<$oty>, )* }

            impl $crate::contract::Guest for Logic {
                fn describe() -> $crate::contract::Description {
                    $crate::glue::install();
                    describe()
                }

                fn compute(
                    rows: u32,
                    parameters: Vec<$crate::contract::Scalar>,
                    inputs: Vec<$crate::contract::Column>,
                ) -> Result<Vec<$crate::contract::Column>, $crate::contract::Failure> {
                    $crate::glue::install();
                    #[allow(unused_mut, reason = "a logic may have no parameters")]
                    let mut scalars = $crate::glue::ScalarArgs::new(parameters);
                    let parameters = $parameters { $(
                        $parameter: {
                            type T = $pty;
                            let literal = <T as $crate::glue::ParameterType>::from_literal;
                            let _ = literal;
                            scalars.take::<T>(
                                stringify!($parameter),
                                $crate::logic!(@first $(Some(literal($low)..=literal($high)),)? None),
                            )?
                        },
                    )* };
                    scalars.done()?;
                    let mut columns = $crate::glue::ColumnArgs::new(&inputs, rows);
                    $( let $input = columns.take(stringify!($input))?; )*
                    columns.done()?;
                    let mut writers = Writers { $( $output: $crate::glue::Writer::new(stringify!($output), rows), )* };
                    $crate::glue::each_block(rows, |start, lanes| {
                        $( let $input = $input.block(start, lanes); )*
                        let mut error = None;
                        for lane in 0..lanes {
                            let cells = $inputs { $( $input: $input.get(lane), )* };
                            let result: Result<$outputs, $crate::RowError> = $row(&parameters, &cells);
                            match result {
                                Ok(given) => { $( writers.$output.put(lane, given.$output); )* }
                                Err(e) => {
                                    error = Some((lane, e));
                                    break;
                                }
                            }
                        }
                        let given = error.as_ref().map_or(lanes, |(lane, _)| *lane);
                        let mut unfit = None;
                        $( writers.$output.flush(start, given, &mut unfit); )*
                        $crate::glue::ended(start, unfit, error)
                    })?;
                    Ok(vec![ $( writers.$output.finish() ),* ])
                }
            }
        };

        #[cfg(target_arch = "wasm32")]
        #[allow(unsafe_code, clippy::allow_attributes, reason = "the exports that wit-bindgen writes")]
        mod component {
            use super::Logic;
            $crate::glue::export!(Logic with_types_in $crate::bindings);
        }
    };

    (@first $first:expr $(, $rest:expr)*) => { $first };
    (@role outcome) => { $crate::contract::Role::Outcome };
    (@role term) => { $crate::contract::Role::Term };
    (@role reason) => { $crate::contract::Role::Reason };
    (@severity warn) => { $crate::contract::Severity::Warn };
    (@severity crit) => { $crate::contract::Severity::Crit };
    (@direction above) => { $crate::contract::Direction::Above };
    (@direction below) => { $crate::contract::Direction::Below };
    (@bound _) => { None };
    (@bound $parameter:ident) => { Some($crate::contract::Bound::Parameter(stringify!($parameter).into())) };
    (@bound $number:expr) => { Some($crate::glue::BoundLiteral::bound($number)) };
}
