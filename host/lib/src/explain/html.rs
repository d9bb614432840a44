//! An explanation as one self-contained page.

use provender_domain::canonical::CanonicalError;
use provender_domain::render::html::{Head, Html, Tone as Badge, embedded_json, page, table};

use super::explanation::Explanation;
use super::parts::shown;
use super::text::{Tone, lines};
use super::units::Units;

/// The page; its JSON is embedded in it.
///
/// # Errors
/// When the explanation has no canonical JSON to embed.
pub fn html(e: &Explanation, units: Units) -> Result<String, CanonicalError> {
    let key = &e.found.run.run.key;
    let mut body = Html::element(
        "h1",
        "",
        &Html::text(format!("{} on {}", key.boundary_id, key.calculation_date)),
    );
    let mut table_done = false;
    for (tone, line) in lines(e, units) {
        match tone {
            Tone::Headline => body.push(&Html::element(
                "p",
                "",
                &Html::element("strong", "", &Html::text(&line)),
            )),
            Tone::Warning => {
                let mut p = Html::badge(Badge::Warn, "note");
                p.push(&Html::text(format!(" {line}")));
                body.push(&Html::element("p", "", &p))
            }
            // Inputs stand as a table, with the digest of each file.
            Tone::Head if line == "Inputs" => {
                table_done = true;
                body.push(&Html::element("h2", "", &Html::text(&line)));
                body.push(&inputs(e, units))
            }
            Tone::Head => {
                table_done = false;
                body.push(&Html::element("h2", "", &Html::text(&line)))
            }
            Tone::Plain if table_done => &mut body,
            Tone::Plain | Tone::Quiet => {
                body.push(&Html::element("p", "", &Html::text(line.trim())))
            }
        };
    }
    let json = provender_domain::canonical::to_text(&e.to_json(units))?;
    body.push(&embedded_json("provender-explanation", &json));
    Ok(page(
        &format!("{} {}", key.model_version, key.calculation_date),
        &body,
    ))
}

fn inputs(e: &Explanation, units: Units) -> Html {
    let heads = [
        Head("input", false),
        Head("value", true),
        Head("age (d)", true),
        Head("meaning", false),
        Head("file and row", false),
        Head("file's digest", false),
    ];
    let rows: Vec<Vec<Html>> = e
        .inputs
        .iter()
        .map(|i| {
            let newest = i.sources.last();
            vec![
                Html::text(&i.name),
                Html::text(shown(&i.value, i.unit.as_deref(), units)),
                Html::text(i.age_days.map_or_else(String::new, |a| a.to_string())),
                Html::text(&i.doc),
                Html::text(
                    newest.map_or_else(String::new, |s| format!("{} row {}", s.file, s.row)),
                ),
                Html::code(newest.map_or("", |s| s.sha256.as_str())),
            ]
        })
        .collect();
    table(None, &heads, &rows)
}
