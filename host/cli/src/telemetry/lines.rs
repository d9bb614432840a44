//! The log on stderr: one line for each event, and one with the duration for each span that ends.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use provender_domain::render::escape;
use serde_json::Value as Json;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::filter::{FilterFn, Targets};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::{LookupSpan, SpanRef};

use super::COMMAND;
use super::asked::LogFormat;
use super::fields::Fields;

/// The layer that writes the log.
pub(super) struct Lines {
    format: LogFormat,
    /// The targets and levels that are written.
    asked: Targets,
}

/// The command's fields. Every JSON line has them, from any thread.
static OF_COMMAND: Mutex<Fields> = Mutex::new(Fields(BTreeMap::new()));

/// Start time of a span.
struct Began(Instant);

impl Lines {
    pub(super) fn new(format: LogFormat, asked: Targets) -> Lines {
        Lines { format, asked }
    }

    /// The filter for this layer. It needs all spans, because lines inside them repeat their fields.
    pub(super) fn filter(&self) -> FilterFn<impl Fn(&Metadata<'_>) -> bool + use<>> {
        let asked = self.asked.clone();
        FilterFn::new(move |metadata| {
            metadata.is_span() || asked.would_enable(metadata.target(), metadata.level())
        })
    }

    fn writes(&self, metadata: &Metadata<'_>) -> bool {
        self.asked.would_enable(metadata.target(), metadata.level())
    }

    fn keep<'a, S: LookupSpan<'a>>(span: &SpanRef<'a, S>, record: impl FnOnce(&mut Fields)) {
        let mut extensions = span.extensions_mut();
        if extensions.get_mut::<Fields>().is_none() {
            extensions.insert(Fields::default());
        }
        if let Some(fields) = extensions.get_mut::<Fields>() {
            record(fields);
            if span.metadata().target() == COMMAND {
                let mut of_command = OF_COMMAND.lock().unwrap_or_else(PoisonError::into_inner);
                of_command.clone_from(fields);
            }
        }
    }
}

/// Adds the fields of a span and of those around it. Inner ones take precedence.
fn around<'a, S: LookupSpan<'a>>(fields: &mut Fields, innermost: &SpanRef<'a, S>) {
    for (n, span) in innermost.scope().enumerate() {
        // The command's own fields are added to every JSON line elsewhere.
        if (n == 0 || span.metadata().target() != COMMAND)
            && let Some(own) = span.extensions().get::<Fields>()
        {
            fields.beside(own);
        }
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Lines {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            Lines::keep(&span, |fields| attributes.record(fields));
            span.extensions_mut().insert(Began(Instant::now()));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id) {
            Lines::keep(&span, |fields| values.record(fields));
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let message = match fields.0.remove("message") {
            Some(Json::String(text)) => text,
            _ => event.metadata().name().to_owned(),
        };
        if let Some(span) = context.event_span(event) {
            around(&mut fields, &span);
        }
        let metadata = event.metadata();
        write(
            self.format,
            (*metadata.level(), metadata.target()),
            &message,
            fields,
        );
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else {
            return;
        };
        let metadata = span.metadata();
        if !self.writes(metadata) {
            return;
        }
        let mut fields = Fields::default();
        around(&mut fields, &span);
        if let Some(Began(began)) = span.extensions().get() {
            let took = super::milliseconds(began.elapsed());
            fields.0.insert("duration_ms".to_owned(), took.into());
        }
        write(
            self.format,
            (*metadata.level(), metadata.target()),
            metadata.name(),
            fields,
        );
    }
}

/// Writes one line with a single write call, so that lines do not mix.
pub(super) fn write(
    format: LogFormat,
    (level, target): (Level, &str),
    message: &str,
    mut fields: Fields,
) {
    let at = format!("{:.6}", jiff::Timestamp::now());
    let line = match format {
        LogFormat::Json => {
            fields.beside(&OF_COMMAND.lock().unwrap_or_else(PoisonError::into_inner));
            json_line(&at, (level, target), message, fields)
        }
        LogFormat::Text => text_line(&at, (level, target), message, &fields),
    };
    // If stderr is gone, the error cannot be shown anywhere.
    let _ = io::stderr().lock().write_all(line.as_bytes());
}

/// The four fixed fields come first.
fn json_line(at: &str, (level, target): (Level, &str), message: &str, fields: Fields) -> String {
    let fixed = [
        ("timestamp", at),
        ("level", level.as_str()),
        ("target", target),
        ("message", message),
    ];
    let mut parts: Vec<String> = Vec::with_capacity(fixed.len() + fields.0.len());
    parts.extend(fixed.map(|(name, text)| format!("\"{name}\":{}", Json::from(text))));
    for (name, value) in &fields.0 {
        if fixed.iter().all(|(taken, _)| taken != name) {
            parts.push(format!("{}:{value}", Json::from(name.as_str())));
        }
    }
    format!("{{{}}}\n", parts.join(","))
}

fn text_line(at: &str, (level, target): (Level, &str), message: &str, fields: &Fields) -> String {
    let mut line = format!("{at} {level:>5} {target}: {message}");
    for (name, value) in &fields.0 {
        let value = match value {
            Json::String(text) if !text.is_empty() && !text.contains([' ', '"']) => text.clone(),
            other => other.to_string(),
        };
        line.push_str(&format!(" {name}={value}"));
    }
    format!("{}\n", escape::terminal(&line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn fields(value: Json) -> Fields {
        match value {
            Json::Object(map) => Fields(map.into_iter().collect()),
            other => panic!("{other}"),
        }
    }

    const AT: &str = "2025-07-01T06:00:00.000000Z";

    #[test]
    fn a_json_line_begins_with_the_fixed_fields_and_names_none_twice() {
        let own = fields(json!({"level": "mine", "rows": 3, "file": "a\n\"b\""}));
        let line = json_line(AT, (Level::INFO, "provender::ingest"), "take", own);
        assert_eq!(
            line,
            "{\"timestamp\":\"2025-07-01T06:00:00.000000Z\",\"level\":\"INFO\",\"target\":\"provender::ingest\",\"message\":\"take\",\"file\":\"a\\n\\\"b\\\"\",\"rows\":3}\n"
        );
    }

    #[test]
    fn a_text_event_is_always_one_line() {
        let own = fields(json!({"rows": 3, "file": "a b", "source": "x\u{1b}[2J"}));
        let line = text_line(AT, (Level::WARN, "provender::ingest"), "take\nit", &own);
        assert_eq!(line.lines().count(), 1);
        assert!(!line.contains('\u{1b}'), "{line:?}");
        assert!(line.starts_with("2025-07-01T06:00:00.000000Z  WARN provender::ingest: take"));
        assert!(
            line.contains("file=\"a b\"") && line.contains("rows=3"),
            "{line}"
        );
    }
}
