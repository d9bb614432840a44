//! The files of a Python folder: the entry, the logic, its tests, the author's layer and the contract.

use super::embedded;
use super::error::AuthorError;
use super::scaffold::fill;
use super::source::{Origin, Source, TextFile};

const APP: &str = include_str!("templates/python/app.py");
const GOLDEN: &str = include_str!("templates/python/test_golden.py");
const TESTS: &str = include_str!("templates/python/test_logic.py");
const IGNORE: &str = "/build/\n/.venv/\n__pycache__/\n";

/// The files of a folder without README and cases. `source` has been renamed already.
pub(super) fn files(source: &Source, files: Vec<TextFile>) -> Result<Vec<TextFile>, AuthorError> {
    let mut all = files;
    match source.origin {
        // The whole folder is copied, with the layer that it was built with.
        Origin::Folder(_) => return Ok(all),
        Origin::Example => {
            all.push(("app.py".to_owned(), APP.as_bytes().to_vec()));
            all.push(("test_logic.py".to_owned(), TESTS.as_bytes().to_vec()));
        }
        Origin::Shipped => {}
    }
    let golden = fill(GOLDEN, &[("module", &module(&all)?)]);
    all.push(("test_golden.py".to_owned(), golden.into_bytes()));
    all.push((".gitignore".to_owned(), IGNORE.as_bytes().to_vec()));
    let layer = embedded::PYTHON.iter();
    all.extend(layer.map(|(path, bytes)| (format!("provender_logic/{path}"), bytes.to_vec())));
    all.push((
        "wit/logic.wit".to_owned(),
        embedded::WIT.as_bytes().to_vec(),
    ));
    Ok(all)
}

/// The module from which the entry imports the logic.
pub(super) fn module(files: &[TextFile]) -> Result<String, AuthorError> {
    let app = files.iter().find(|(path, _)| path == "app.py");
    let text = app.map(|(_, bytes)| String::from_utf8_lossy(bytes));
    let module = text.iter().flat_map(|text| text.lines()).find_map(|line| {
        let module = line.strip_prefix("from ")?.strip_suffix(" import LOGIC")?;
        Some(module.trim().to_owned())
    });
    module.ok_or_else(|| AuthorError::Carry {
        file: "app.py".to_owned(),
        cause: "it has no line `from MODULE import LOGIC`".to_owned(),
    })
}
