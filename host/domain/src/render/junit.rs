//! Renders JUnit XML, the form in which CI systems read test results.
//!
//! Contains no times, so that the same results give the same text.

use std::fmt::Write as _;

use super::escape::xml;

/// A suite.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suite {
    /// Its name.
    pub name: String,
    /// Its cases.
    pub cases: Vec<TestCase>,
}

/// A case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestCase {
    /// Its name.
    pub name: String,
    /// File and line, if known.
    pub place: Option<(String, usize)>,
    /// Its result.
    pub outcome: CaseOutcome,
}

/// The result of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseOutcome {
    /// Good.
    Passed,
    /// A check failed.
    Failed {
        /// Stable name of the kind of failure.
        kind: String,
        /// One line.
        message: String,
        /// The full text.
        text: String,
    },
    /// Could not be evaluated.
    Errored {
        /// Stable name of the kind of error.
        kind: String,
        /// One line.
        message: String,
        /// The full text.
        text: String,
    },
    /// Not run.
    Skipped {
        /// Why.
        reason: String,
    },
}

/// The document.
#[must_use]
pub fn document(suites: &[Suite]) -> String {
    let count = |suite: &Suite, is: fn(&CaseOutcome) -> bool| {
        suite.cases.iter().filter(|c| is(&c.outcome)).count()
    };
    let failed = |o: &CaseOutcome| matches!(o, CaseOutcome::Failed { .. });
    let errored = |o: &CaseOutcome| matches!(o, CaseOutcome::Errored { .. });
    let skipped = |o: &CaseOutcome| matches!(o, CaseOutcome::Skipped { .. });
    let sum = |is: fn(&CaseOutcome) -> bool| suites.iter().map(|s| count(s, is)).sum::<usize>();
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "<testsuites tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">",
        sum(|_| true),
        sum(failed),
        sum(errored),
        sum(skipped)
    );
    for suite in suites {
        let _ = writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">",
            xml(&suite.name),
            suite.cases.len(),
            count(suite, failed),
            count(suite, errored),
            count(suite, skipped)
        );
        for case in &suite.cases {
            one(&mut out, suite, case);
        }
        out.push_str("  </testsuite>\n");
    }
    out.push_str("</testsuites>\n");
    out
}

fn one(out: &mut String, suite: &Suite, case: &TestCase) {
    let _ = write!(
        out,
        "    <testcase classname=\"{}\" name=\"{}\"",
        xml(&suite.name),
        xml(&case.name)
    );
    if let Some((file, line)) = &case.place {
        let _ = write!(out, " file=\"{}\" line=\"{line}\"", xml(file));
    }
    let mut element = |tag: &str, kind: &str, message: &str, text: &str| {
        let _ = write!(
            out,
            ">\n      <{tag} type=\"{}\" message=\"{}\">{}</{tag}>\n    </testcase>\n",
            xml(kind),
            xml(message),
            xml(text)
        );
    };
    match &case.outcome {
        CaseOutcome::Passed => out.push_str("/>\n"),
        CaseOutcome::Failed {
            kind,
            message,
            text,
        } => element("failure", kind, message, text),
        CaseOutcome::Errored {
            kind,
            message,
            text,
        } => element("error", kind, message, text),
        CaseOutcome::Skipped { reason } => {
            let _ = write!(
                out,
                ">\n      <skipped message=\"{}\"/>\n    </testcase>\n",
                xml(reason)
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_in_a_case_gives_a_well_formed_document() {
        let case = |name: &str, outcome| TestCase {
            name: name.into(),
            place: Some(("a\"b.toml".into(), 3)),
            outcome,
        };
        let suite = Suite {
            name: "days:v1 & <more>".into(),
            cases: vec![
                case("good", CaseOutcome::Passed),
                case(
                    "]]> </testcase>",
                    CaseOutcome::Failed {
                        kind: "golden".into(),
                        message: "1 < 2".into(),
                        text: "one\ntwo\u{1b}[31m".into(),
                    },
                ),
                case(
                    "late",
                    CaseOutcome::Skipped {
                        reason: "\"later\"".into(),
                    },
                ),
            ],
        };
        insta::assert_snapshot!(document(&[suite]), @r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites tests="3" failures="1" errors="0" skipped="1">
          <testsuite name="days:v1 &amp; &lt;more&gt;" tests="3" failures="1" errors="0" skipped="1">
            <testcase classname="days:v1 &amp; &lt;more&gt;" name="good" file="a&quot;b.toml" line="3"/>
            <testcase classname="days:v1 &amp; &lt;more&gt;" name="]]&gt; &lt;/testcase&gt;" file="a&quot;b.toml" line="3">
              <failure type="golden" message="1 &lt; 2">one&#10;two�[31m</failure>
            </testcase>
            <testcase classname="days:v1 &amp; &lt;more&gt;" name="late" file="a&quot;b.toml" line="3">
              <skipped message="&quot;later&quot;"/>
            </testcase>
          </testsuite>
        </testsuites>
        "#);
    }
}
