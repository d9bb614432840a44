//! Formulas with their values. The component gives the formula of an output in terms of inputs, parameters and outputs;
//! here each name is replaced by its value.

/// A name and its value.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Named {
    /// Name of an input, parameter or output.
    pub name: String,
    /// Its value with its unit, for people; `None` if it was missing.
    pub shown: Option<String>,
}

/// Writes `result = formula = formula with values = value`, or what was missing.
#[must_use]
pub(super) fn sentence(output: &Named, formula: &str, names: &[Named]) -> String {
    let formula = formula.trim();
    let substituted = substitute(formula, names);
    let result = output.shown.as_deref().unwrap_or("no value");
    if substituted == formula {
        return format!("{} = {} = {result}", output.name, pretty(formula));
    }
    format!(
        "{} = {} = {} = {result}",
        output.name,
        pretty(formula),
        pretty(&substituted)
    )
}

/// Replaces whole identifiers. Functions, words and other text are kept.
fn substitute(formula: &str, names: &[Named]) -> String {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut out = String::new();
    let mut rest = formula;
    while let Some(c) = rest.chars().next() {
        if !is_word(c) {
            out.push(c);
            rest = &rest[c.len_utf8()..];
            continue;
        }
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (word, tail) = rest.split_at(end);
        let call = tail.trim_start().starts_with('(');
        match names.iter().find(|n| n.name == word && !call) {
            Some(n) => out.push_str(n.shown.as_deref().unwrap_or("(missing)")),
            None => out.push_str(word),
        }
        rest = tail;
    }
    out
}

/// Uses the signs that people read: × for *. The hyphen within dates is kept.
fn pretty(formula: &str) -> String {
    formula
        .replace(" * ", " × ")
        .replace(" / ", " ÷ ")
        .replace(" - ", " − ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str, shown: Option<&str>) -> Named {
        Named {
            name: name.into(),
            shown: shown.map(str::to_owned),
        }
    }

    #[test]
    fn whole_names_are_replaced_and_nothing_else() {
        let names = [
            named("area", Some("1 ha")),
            named("area_ha", Some("2 ha")),
            named("max", Some("9")),
        ];
        let s = sentence(
            &named("x", Some("3 kg")),
            "max(0, area_ha) * area + areas",
            &names,
        );
        assert_eq!(
            s,
            "x = max(0, area_ha) × area + areas = max(0, 2 ha) × 1 ha + areas = 3 kg"
        );
    }

    #[test]
    fn missing_values_are_reported() {
        let s = sentence(
            &named("days", None),
            "forage / daily",
            &[named("forage", None), named("daily", Some("4 kg/d"))],
        );
        assert_eq!(s, "days = forage ÷ daily = (missing) ÷ 4 kg/d = no value");
    }
}
