//! The entry point: bytes and options in, a reading or an error out.

use crate::ingest::parsed::{ReadError, ReadOptions, Reading};

use super::detect::{self, Source};
use super::draft::Draft;
use super::formats::Form;
use super::text;

/// Reads the bytes of a file.
///
/// # Errors
/// If the format is unknown or of another kind than expected, if the file cannot be used as a whole, or if it has
/// bad rows that may not be skipped. The error then lists all bad rows.
pub fn read(bytes: &[u8], options: &ReadOptions) -> Result<Reading, ReadError> {
    let unknown = |looked_like: &str| ReadError::Unknown {
        file: options.file_name.clone(),
        looked_like: looked_like.to_owned(),
    };
    if bytes.trim_ascii().is_empty() {
        return Err(unknown("the file is empty"));
    }
    let decoded = text::decode(bytes).ok_or_else(|| unknown("it is binary, not a text"))?;
    let source = Source::new(decoded.text);
    let format = detect::choose(&source, options)?;
    let mut draft = Draft::new(options);
    if let Some(note) = decoded.note {
        draft.warn(note);
    }
    let (rows, content) = match (&source, &format.0.form) {
        (Source::Json(json), Form::Json { read, .. }) => read(json, &mut draft)?,
        (Source::Text(text, _), Form::Text { read, .. }) => read(text, &mut draft)?,
        (Source::Text(_, problem), Form::Json { .. }) => {
            let why = problem.as_deref().unwrap_or("it is not JSON at all");
            return Err(draft.refuse(format!("cannot be read as {}: {why}", format.name())));
        }
        (Source::Json(_), Form::Text { .. }) => {
            return Err(draft.refuse(format!(
                "cannot be read as {}: it is JSON, not CSV",
                format.name()
            )));
        }
    };
    draft.finish(format, rows, content)
}
