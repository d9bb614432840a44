//! Units with the spellings that files use, and the factors between them. The factors are exact by definition
//! (international yard and pound agreement of 1959; SI). A conversion is one multiplication and one division, so
//! it gives the same bits on every machine:
//!
//! * 1 lb = 0.45359237 kg, 1 acre = 0.40468564224 ha, so 1 lb/acre = 1.12085… kg/ha
//! * 1 in = 25.4 mm, 1 mile = 1609.344 m, 1 nautical mile = 1852 m
//! * °C = (°F − 32) / 1.8 = K − 273.15

/// Kilograms in a pound, exactly.
pub(super) const KG_PER_LB: f64 = 0.453_592_37;
/// Hectares in an acre, exactly.
pub(super) const HA_PER_ACRE: f64 = 0.404_685_642_24;
/// Seconds in a day.
pub(super) const SECONDS_PER_DAY: f64 = 86_400.0;

/// A unit that a file may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    KilogramPerHectare,
    PoundPerAcre,
    Hectare,
    Acre,
    SquareMetre,
    Celsius,
    Fahrenheit,
    Kelvin,
    MetrePerSecond,
    KilometrePerHour,
    MilePerHour,
    Knot,
    Millimetre,
    Centimetre,
    Inch,
    MegajoulePerSquareMetre,
    WattPerSquareMetre,
    KilogramPerSquareMetre,
    Pascal,
    Hectopascal,
    Kilopascal,
    Percent,
    Fraction,
    KilogramPerKilogram,
    GramPerKilogram,
    CentimetrePerCentimetre,
    Second,
    Hour,
    /// The unit that a `[[series]]` declares; numbers are not converted.
    AsDeclared,
}

impl Unit {
    /// Parses a unit; case, blanks, `°`, `^` and superscripts do not matter.
    #[must_use]
    pub(super) fn parse(text: &str) -> Option<Unit> {
        let plain: String = text
            .chars()
            .filter_map(|c| match c {
                '²' => Some('2'),
                '°' | '^' | ' ' | '_' | '*' => None,
                '·' => Some('.'),
                c => Some(c.to_ascii_lowercase()),
            })
            .collect();
        // Daily totals and means may have a suffix such as `/day`.
        let plain = plain
            .strip_suffix("/day")
            .or_else(|| plain.strip_suffix("/d"))
            .unwrap_or(&plain);
        Some(match plain {
            "kg/ha" | "kgha-1" | "kg.ha-1" | "kgperha" => Unit::KilogramPerHectare,
            "lb/acre" | "lbs/acre" | "lb/ac" | "lbs/ac" | "lbperacre" | "pounds/acre" => {
                Unit::PoundPerAcre
            }
            "ha" | "hectare" | "hectares" => Unit::Hectare,
            "ac" | "acre" | "acres" => Unit::Acre,
            "m2" | "sqm" => Unit::SquareMetre,
            "c" | "degc" | "celsius" | "degreescelsius" => Unit::Celsius,
            "f" | "degf" | "fahrenheit" => Unit::Fahrenheit,
            "k" | "degk" | "kelvin" => Unit::Kelvin,
            "m/s" | "ms-1" | "m.s-1" => Unit::MetrePerSecond,
            "km/h" | "kmh" | "kph" => Unit::KilometrePerHour,
            "mph" | "mp/h" | "mi/h" => Unit::MilePerHour,
            "kn" | "kt" | "knots" => Unit::Knot,
            "mm" | "millimeter" | "millimetre" => Unit::Millimetre,
            "cm" => Unit::Centimetre,
            "in" | "inch" | "inches" => Unit::Inch,
            "mj/m2" | "mjm-2" => Unit::MegajoulePerSquareMetre,
            "w/m2" | "wm-2" => Unit::WattPerSquareMetre,
            "kg/m2" | "kgm-2" => Unit::KilogramPerSquareMetre,
            "pa" => Unit::Pascal,
            "hpa" | "mbar" => Unit::Hectopascal,
            "kpa" => Unit::Kilopascal,
            "%" | "pct" | "percent" => Unit::Percent,
            "fraction" => Unit::Fraction,
            "kg/kg" | "kgkg-1" => Unit::KilogramPerKilogram,
            "g/kg" => Unit::GramPerKilogram,
            "cm/cm" => Unit::CentimetrePerCentimetre,
            "s" | "sec" | "seconds" => Unit::Second,
            "h" | "hr" | "hours" => Unit::Hour,
            _ => return None,
        })
    }

    /// The spelling for messages.
    #[must_use]
    pub(super) fn name(self) -> &'static str {
        match self {
            Unit::KilogramPerHectare => "kg/ha",
            Unit::PoundPerAcre => "lb/acre",
            Unit::Hectare => "ha",
            Unit::Acre => "acres",
            Unit::SquareMetre => "m2",
            Unit::Celsius => "°C",
            Unit::Fahrenheit => "°F",
            Unit::Kelvin => "K",
            Unit::MetrePerSecond => "m/s",
            Unit::KilometrePerHour => "km/h",
            Unit::MilePerHour => "mph",
            Unit::Knot => "kn",
            Unit::Millimetre => "mm",
            Unit::Centimetre => "cm",
            Unit::Inch => "in",
            Unit::MegajoulePerSquareMetre => "MJ/m2",
            Unit::WattPerSquareMetre => "W/m2",
            Unit::KilogramPerSquareMetre => "kg/m2",
            Unit::Pascal => "Pa",
            Unit::Hectopascal => "hPa",
            Unit::Kilopascal => "kPa",
            Unit::Percent => "%",
            Unit::Fraction => "a fraction",
            Unit::KilogramPerKilogram => "kg/kg",
            Unit::GramPerKilogram => "g/kg",
            Unit::CentimetrePerCentimetre => "cm/cm",
            Unit::Second => "s",
            Unit::Hour => "h",
            Unit::AsDeclared => "its declared unit",
        }
    }

    /// Converts `x` from this unit to `to`; `None` if they measure different quantities.
    ///
    /// Watts per square metre are a mean over 24 hours here; convert a mean over daylight with
    /// [`radiation_mj_m2`].
    #[must_use]
    pub(super) fn convert(self, x: f64, to: Unit) -> Option<f64> {
        use Unit::{
            Acre, Celsius, Centimetre, Fahrenheit, Fraction, GramPerKilogram, Hectare, Hectopascal,
            Hour, Inch, Kelvin, KilogramPerHectare, KilogramPerKilogram, KilogramPerSquareMetre,
            KilometrePerHour, Kilopascal, Knot, MegajoulePerSquareMetre, MetrePerSecond,
            MilePerHour, Millimetre, Pascal, Percent, PoundPerAcre, Second, SquareMetre,
            WattPerSquareMetre,
        };
        if self == to {
            return Some(x);
        }
        Some(match (self, to) {
            (PoundPerAcre, KilogramPerHectare) => x * KG_PER_LB / HA_PER_ACRE,
            (Acre, Hectare) => x * HA_PER_ACRE,
            (Hectare, Acre) => x / HA_PER_ACRE,
            (SquareMetre, Hectare) => x / 10_000.0,
            (Fahrenheit, Celsius) => (x - 32.0) / 1.8,
            (Kelvin, Celsius) => x - 273.15,
            (KilometrePerHour, MetrePerSecond) => x / 3.6,
            (MilePerHour, MetrePerSecond) => x * 1609.344 / 3600.0,
            (Knot, MetrePerSecond) => x * 1852.0 / 3600.0,
            (Inch, Millimetre) => x * 25.4,
            (Inch, Centimetre) => x * 2.54,
            (Centimetre, Millimetre) => x * 10.0,
            (Millimetre, Centimetre) => x / 10.0,
            // One millimetre of water on one square metre weighs one kilogram.
            (KilogramPerSquareMetre, Millimetre) | (Millimetre, KilogramPerSquareMetre) => x,
            (WattPerSquareMetre, MegajoulePerSquareMetre) => radiation_mj_m2(x, SECONDS_PER_DAY),
            (Hectopascal, Pascal) => x * 100.0,
            (Kilopascal, Pascal) => x * 1000.0,
            (Fraction, Percent) => x * 100.0,
            (GramPerKilogram, KilogramPerKilogram) => x / 1000.0,
            (Hour, Second) => x * 3600.0,
            _ => return None,
        })
    }
}

/// Radiation of a day in MJ/m², from a mean of `watts_m2` over `seconds`.
#[must_use]
pub(super) fn radiation_mj_m2(watts_m2: f64, seconds: f64) -> f64 {
    watts_m2 * seconds / 1.0e6
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(a: Option<f64>, b: f64) {
        let a = a.unwrap();
        assert!((a - b).abs() <= 1e-9 * b.abs().max(1.0), "{a} is not {b}");
    }

    #[test]
    fn spellings_of_real_files_are_known() {
        for (text, unit) in [
            ("°C", Unit::Celsius),
            ("deg c", Unit::Celsius),
            ("°F", Unit::Fahrenheit),
            ("mm/day", Unit::Millimetre),
            ("W/m^2", Unit::WattPerSquareMetre),
            ("MJ/m²", Unit::MegajoulePerSquareMetre),
            ("kg/m^2", Unit::KilogramPerSquareMetre),
            ("Pa", Unit::Pascal),
            ("km/h", Unit::KilometrePerHour),
            ("mp/h", Unit::MilePerHour),
            ("lb/acre", Unit::PoundPerAcre),
            ("lbs/acre", Unit::PoundPerAcre),
            ("s", Unit::Second),
            ("degC", Unit::Celsius),
        ] {
            assert_eq!(Unit::parse(text), Some(unit), "{text}");
        }
        assert_eq!(Unit::parse("furlong"), None);
        assert_eq!(Unit::parse(""), None);
    }

    #[test]
    fn conversions_give_published_figures() {
        near(
            Unit::PoundPerAcre.convert(1.0, Unit::KilogramPerHectare),
            1.120_851_156_194_449,
        );
        near(Unit::Fahrenheit.convert(212.0, Unit::Celsius), 100.0);
        near(Unit::Fahrenheit.convert(-40.0, Unit::Celsius), -40.0);
        near(Unit::Kelvin.convert(273.15, Unit::Celsius), 0.0);
        near(
            Unit::KilometrePerHour.convert(36.0, Unit::MetrePerSecond),
            10.0,
        );
        near(
            Unit::MilePerHour.convert(1.0, Unit::MetrePerSecond),
            0.447_04,
        );
        near(
            Unit::Knot.convert(1.0, Unit::MetrePerSecond),
            0.514_444_444_444,
        );
        near(Unit::Inch.convert(2.0, Unit::Millimetre), 50.8);
        near(Unit::Acre.convert(640.0, Unit::Hectare), 258.998_811_033_6);
        near(
            Unit::WattPerSquareMetre.convert(250.0, Unit::MegajoulePerSquareMetre),
            21.6,
        );
        assert_eq!(Unit::Celsius.convert(1.0, Unit::Millimetre), None);
    }
}
