//! A guest's declaration in the memory layout of the canonical ABI: good, or wrong on purpose.

/// `field` of the contract. Data types by number: float64 0, int64 1, boolean 2, date 3, text 4,
/// series 5.
#[derive(Clone)]
pub struct Field {
    pub name: &'static str,
    pub data_type: u8,
    pub unit: Option<&'static str>,
    pub nullable: bool,
    pub doc: &'static str,
}

/// A number, or the name of a parameter.
#[derive(Clone, Copy)]
pub enum Limit {
    Value(f64),
    Parameter(&'static str),
}

/// Name, unit, default, minimum, maximum; all numbers.
pub type Parameter = (
    &'static str,
    Option<&'static str>,
    f64,
    Option<f64>,
    Option<f64>,
);
/// Output, minimum, maximum.
pub type Guardrail = (&'static str, Option<Limit>, Option<Limit>);
/// Metric, subject, warn, crit; the direction is above, the scope the fleet.
pub type Monitor = (&'static str, Option<&'static str>, Option<f64>, Option<f64>);

/// `description` of the contract. Whatever is declared, the guest's `compute` takes two columns of numbers
/// and returns `product` and `note`.
#[derive(Clone)]
pub struct Declaration {
    pub name: String,
    pub version: &'static str,
    pub summary: &'static str,
    /// With the feature.
    pub inputs: Vec<(Field, &'static str)>,
    pub parameters: Vec<Parameter>,
    /// With the role: outcome 0, term 1, reason 2.
    pub outputs: Vec<(Field, u8)>,
    pub guardrails: Vec<Guardrail>,
    pub monitors: Vec<Monitor>,
}

fn number(name: &'static str) -> Field {
    Field {
        name,
        data_type: 0,
        unit: None,
        nullable: true,
        doc: "a sentence",
    }
}

impl Default for Declaration {
    fn default() -> Declaration {
        let input = |name| {
            let field = Field {
                unit: Some("kg/ha"),
                ..number(name)
            };
            (field, "forage_kg_per_ha")
        };
        let note = Field {
            data_type: 4,
            ..number("note")
        };
        Declaration {
            name: "product".to_owned(),
            version: "v1",
            summary: "a times b",
            inputs: vec![input("a"), input("b")],
            parameters: vec![("factor", None, 2.0, None, None)],
            outputs: vec![(number("product"), 0), (note, 2)],
            guardrails: Vec::new(),
            monitors: Vec::new(),
        }
    }
}

impl Declaration {
    /// The bytes of the declaration, for the address `base`.
    pub fn image(&self, base: usize) -> Vec<u8> {
        let mut m = Image {
            base,
            bytes: vec![0; 72],
        };
        m.text(0, &self.name);
        m.text(8, self.version);
        m.text(16, self.summary);
        let at = m.list(24, self.inputs.len(), 44);
        for (n, (field, feature)) in self.inputs.iter().enumerate() {
            m.field(at + 44 * n, field);
            m.text(at + 44 * n + 36, feature);
        }
        let at = m.list(32, self.parameters.len(), 96);
        for (n, (name, unit, default, minimum, maximum)) in self.parameters.iter().enumerate() {
            let at = at + 96 * n;
            m.text(at, name);
            m.maybe_text(at + 8, *unit);
            m.number(at + 32, *default);
            m.maybe_scalar(at + 40, *minimum);
            m.maybe_scalar(at + 64, *maximum);
            m.text(at + 88, "a sentence");
        }
        let at = m.list(40, self.outputs.len(), 52);
        for (n, (field, role)) in self.outputs.iter().enumerate() {
            m.field(at + 52 * n, field);
            m.bytes[at + 52 * n + 36] = *role;
        }
        let at = m.list(48, self.guardrails.len(), 64);
        for (n, (output, minimum, maximum)) in self.guardrails.iter().enumerate() {
            let at = at + 64 * n;
            m.text(at, output);
            m.maybe_limit(at + 8, *minimum);
            m.maybe_limit(at + 32, *maximum);
        }
        let at = m.list(56, self.monitors.len(), 64);
        for (n, (metric, subject, warn, crit)) in self.monitors.iter().enumerate() {
            let at = at + 64 * n;
            m.text(at, metric);
            m.maybe_text(at + 8, *subject);
            // over the fleet, above
            m.bytes[at + 20] = 1;
            m.maybe_number(at + 24, *warn);
            m.maybe_number(at + 40, *crit);
        }
        m.bytes
    }
}

struct Image {
    base: usize,
    bytes: Vec<u8>,
}

impl Image {
    fn alloc(&mut self, size: usize) -> usize {
        // Relative to the base, which is itself a multiple of 8.
        let at = self.bytes.len().next_multiple_of(8);
        self.bytes.resize(at + size, 0);
        at
    }

    fn word(&mut self, at: usize, value: usize) {
        let value = u32::try_from(value).unwrap();
        self.bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
    }

    fn list(&mut self, at: usize, count: usize, size: usize) -> usize {
        let data = self.alloc(count * size);
        self.word(at, self.base + data);
        self.word(at + 4, count);
        data
    }

    fn text(&mut self, at: usize, text: &str) {
        let data = self.list(at, text.len(), 1);
        self.bytes[data..data + text.len()].copy_from_slice(text.as_bytes());
    }

    fn maybe_text(&mut self, at: usize, text: Option<&str>) {
        if let Some(text) = text {
            self.bytes[at] = 1;
            self.text(at + 4, text);
        }
    }

    fn number(&mut self, at: usize, value: f64) {
        self.bytes[at..at + 8].copy_from_slice(&value.to_le_bytes());
    }

    fn maybe_number(&mut self, at: usize, value: Option<f64>) {
        if let Some(value) = value {
            self.bytes[at] = 1;
            self.number(at + 8, value);
        }
    }

    /// `option<scalar>`: float64 is case 0 of the variant.
    fn maybe_scalar(&mut self, at: usize, value: Option<f64>) {
        if let Some(value) = value {
            self.bytes[at] = 1;
            self.number(at + 16, value);
        }
    }

    fn maybe_limit(&mut self, at: usize, limit: Option<Limit>) {
        let Some(limit) = limit else { return };
        self.bytes[at] = 1;
        match limit {
            Limit::Value(value) => self.number(at + 16, value),
            Limit::Parameter(name) => {
                self.bytes[at + 8] = 1;
                self.text(at + 16, name);
            }
        }
    }

    fn field(&mut self, at: usize, field: &Field) {
        self.text(at, field.name);
        self.bytes[at + 8] = field.data_type;
        self.maybe_text(at + 12, field.unit);
        self.bytes[at + 24] = u8::from(field.nullable);
        self.text(at + 28, field.doc);
    }
}
