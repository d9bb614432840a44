//! Rewrites a source to another name and version.

use super::name::LogicName;

/// A source file of `from` as one of `to`: in the declaration, and wherever the version is named.
pub(super) fn source(text: &str, from: &LogicName, to: &LogicName) -> String {
    let mut text = whole(text, &from.to_string(), &to.to_string());
    for (old, new) in [
        (from.file(), to.file()),
        (from.package(), to.package()),
        // The crate, as an integration test imports it.
        (
            from.package().replace('-', "_"),
            to.package().replace('-', "_"),
        ),
    ] {
        text = whole(&text, &old, &new);
    }
    for (key, old, new) in [
        ("name", &from.name, &to.name),
        ("version", &from.version, &to.version),
    ] {
        // Rust's declaration has a colon, Python's an equals sign.
        for sign in [": ", "=", " = "] {
            text = whole(
                &text,
                &format!("{key}{sign}\"{old}\""),
                &format!("{key}{sign}\"{new}\""),
            );
        }
    }
    text
}

/// Whether a source file declares a version.
pub(super) fn declares(text: &str, version: &str) -> bool {
    [": ", "=", " = "]
        .iter()
        .any(|sign| text.contains(&format!("version{sign}\"{version}\"")))
}

/// Replaces whole words only: not `v2` in `v21`, nor `name` in `rename`.
fn whole(text: &str, old: &str, new: &str) -> String {
    let goes_on = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find(old) {
        let (before, after) = (&rest[..at], &rest[at + old.len()..]);
        out.push_str(before);
        let inside = goes_on(out.chars().next_back()) || goes_on(after.chars().next());
        out.push_str(if inside { old } else { new });
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> LogicName {
        text.parse().unwrap()
    }

    #[test]
    fn only_the_declaration_and_mentions_of_the_logic_get_the_new_name() {
        let text = "//! `rain:v2`, not rain:v21.\nname: \"rain\",\nversion: \"v2\",\nrename: \"rain\", surname=\"rain\"\nname=\"rain\", version=\"v2\", version=\"v21\"\nuse rain_v2::row; // rain-v2, rain-v2.wasm";
        insta::assert_snapshot!(source(text, &name("rain:v2"), &name("snow:v3")), @r#"
        //! `snow:v3`, not rain:v21.
        name: "snow",
        version: "v3",
        rename: "rain", surname="rain"
        name="snow", version="v3", version="v21"
        use snow_v3::row; // snow-v3, snow-v3.wasm
        "#);
    }
}
