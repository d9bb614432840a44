#!/usr/bin/env bash
# Makes days_remaining-v2.wasm with QuickJS inside. Needs: jco 1.35.0 of the npm package
# @bytecodealliance/jco (JCO names the program), and cargo for the last step.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
jco=${JCO:-jco}
wanted=1.35.0
found=$("$jco" --version 2>/dev/null) || {
  echo "jco is missing: npm install @bytecodealliance/jco@$wanted, then set JCO to node_modules/.bin/jco" >&2
  exit 69
}
if [ "$found" != "$wanted" ]; then
  echo "jco is $found; this example was tried with $wanted" >&2
fi
scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT
# stub-wasi: what would need the outside traps, and nothing is imported. disable-async: the host calls
# synchronously and its engine is built without the component model's async.
"$jco" componentize days_remaining.js -w ../../../../wit -n logic-plugin -o "$scratch/component.wasm" \
  --backend quickjs --backend-qjs-stub-wasi --backend-qjs-disable-async
out=${1:-$PWD/days_remaining-v2.wasm}
(cd ../../.. && cargo run --locked -q -p provender-build -- \
  --encode "$scratch/component.wasm" -o "$out" --language JavaScript --tool "jco=$found")
