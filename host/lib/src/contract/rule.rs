//! The rules: their names and their texts.

use schemars::JsonSchema;
use serde::Serialize;

/// A rule of the contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(rename = "ContractRule")]
pub enum Rule {
    /// A frozen pin stays, with its bytes' digest.
    FrozenPin,
    /// The bytes of a frozen version stay.
    FrozenBytes,
    /// What a frozen version declares stays: parameter defaults, bounds, thresholds, features.
    FrozenDeclaration,
    /// The source of a frozen version stays.
    FrozenSource,
    /// A version of the WIT stays.
    FrozenWit,
    /// Owners of what changes have approved, where there are several.
    Owners,
}

impl Rule {
    /// Every rule.
    pub(crate) const ALL: [Rule; 6] = [
        Rule::FrozenPin,
        Rule::FrozenBytes,
        Rule::FrozenDeclaration,
        Rule::FrozenSource,
        Rule::FrozenWit,
        Rule::Owners,
    ];

    /// A stable name.
    #[must_use]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Rule::FrozenPin => "frozen_pin",
            Rule::FrozenBytes => "frozen_bytes",
            Rule::FrozenDeclaration => "frozen_declaration",
            Rule::FrozenSource => "frozen_source",
            Rule::FrozenWit => "frozen_wit",
            Rule::Owners => "owners",
        }
    }

    /// The rule as a sentence.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Rule::FrozenPin => "the pin of a frozen version is neither removed nor changed",
            Rule::FrozenBytes => "the component of a frozen version keeps its bytes",
            Rule::FrozenDeclaration => {
                "a frozen version keeps its parameter defaults and thresholds"
            }
            Rule::FrozenSource => "the folder of a frozen version is not touched",
            Rule::FrozenWit => {
                "a version of the WIT is not edited in place, and a 1.x only adds to the one before"
            }
            Rule::Owners => "every owner of what changes has approved, where there are several",
        }
    }
}

/// A broken rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ContractFinding {
    /// Which rule.
    pub rule: Rule,
    /// The file, relative to the repository.
    pub path: String,
    /// Line, from 1.
    pub line: usize,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub remedy: String,
}
