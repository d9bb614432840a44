//! The style sheet embedded in every page: no external font, image or script; light, dark and print. A glyph and a word
//! show the status; colour only repeats it.

/// The CSS of [`super::html::page`].
pub(super) const CSS: &str = r#"
:root { color-scheme: light dark;
  --bg: #fff; --fg: #1c2024; --dim: #5c6670; --line: #d7dde3; --panel: #f5f7f9; --link: #0b5cad;
  --good: #1a7f37; --warn: #8a5a00; --bad: #b3261e; --unknown: #6639ba; --quiet: #5c6670;
  --band: #1a7f3714; }
@media (prefers-color-scheme: dark) { :root {
  --bg: #14181c; --fg: #e3e8ed; --dim: #9aa5b1; --line: #343c45; --panel: #1c2228; --link: #7ab7ff;
  --good: #57c271; --warn: #e0ae4a; --bad: #ff8a80; --unknown: #c4a5ff; --quiet: #9aa5b1;
  --band: #57c27122; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--bg); color: var(--fg);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
main { max-width: 68rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .25rem; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; border-bottom: 1px solid var(--line); padding-bottom: .25rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 .4rem; }
p { margin: .4rem 0; }
a { color: var(--link); }
.nowrap { white-space: nowrap; }
.dim, figcaption, caption { color: var(--dim); }
code, .id { font: .88em/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 1rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding: .2rem 0; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line); }
th { font-weight: 600; background: var(--panel); white-space: nowrap; }
td.num, th.num { text-align: right; white-space: nowrap; }
.badge { display: inline-block; white-space: nowrap; font-weight: 600; border: 1px solid currentColor; border-radius: .3rem; padding: 0 .45rem; }
.good { color: var(--good); } .warn { color: var(--warn); } .bad { color: var(--bad); }
.unknown { color: var(--unknown); border-style: dashed; } .quiet { color: var(--quiet); }
.verdict { border: 1px solid var(--line); border-left: .4rem solid currentColor; border-radius: .3rem; background: var(--panel); padding: .8rem 1rem; margin: 1rem 0; }
.verdict > * { color: var(--fg); }
.verdict > p > .badge { font-size: 1.15rem; }
.verdict .good { color: var(--good); } .verdict .warn { color: var(--warn); } .verdict .bad { color: var(--bad); } .verdict .unknown { color: var(--unknown); }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; margin: .5rem 0; }
dt { color: var(--dim); } dd { margin: 0; overflow-wrap: anywhere; }
details { margin: .4rem 0; } summary { cursor: pointer; }
section.item { border: 1px solid var(--line); border-radius: .3rem; padding: .6rem .9rem; margin: .8rem 0; }
section.item > h3 { margin-top: 0; }
figure { margin: .4rem 0; }
svg.chart { width: 100%; height: auto; max-width: 44rem; display: block; }
svg.chart text { fill: var(--dim); font: 11px system-ui, sans-serif; }
svg.chart .frame { fill: none; stroke: var(--line); }
svg.chart .band { fill: var(--band); }
svg.chart .bound { stroke: var(--good); stroke-dasharray: 2 3; fill: none; }
svg.chart .before { fill: var(--dim); opacity: .35; }
svg.chart .line { stroke: var(--fg); stroke-width: 1.6; fill: none; stroke-linejoin: round; }
svg.chart .dot { fill: var(--fg); }
svg.chart .breach { fill: var(--bad); stroke: var(--bg); }
svg.chart .null { stroke: var(--unknown); stroke-width: 1.6; fill: none; }
svg.chart .missing { stroke: var(--bad); stroke-width: 1.6; fill: none; }
svg.chart .t-warn { stroke: var(--warn); stroke-dasharray: 7 3; fill: none; }
svg.chart .t-crit { stroke: var(--bad); stroke-dasharray: 10 3 2 3; fill: none; }
@media print {
  :root { --bg: #fff; --fg: #000; --dim: #444; --line: #bbb; --panel: #fff; --link: #000;
    --good: #1a7f37; --warn: #8a5a00; --bad: #b3261e; --unknown: #6639ba; --quiet: #444; }
  body { font-size: 10.5pt; } main { max-width: none; padding: 0; }
  tr, figure, section.item { break-inside: avoid; } thead { display: table-header-group; }
  details::details-content { content-visibility: visible; height: auto; }
  h2, h3 { break-after: avoid; } .scroll { overflow: visible; }
}
"#;
