#!/usr/bin/env bash
# Makes build/days_remaining-v2.wasm with CPython inside. Needs: componentize-py 0.25.1 from PyPI
# (COMPONENTIZE_PY names the program), and cargo for the last step.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
program=${COMPONENTIZE_PY:-componentize-py}
wanted=0.25.1
found=$("$program" --version 2>/dev/null) || {
  echo "componentize-py is missing: python3 -m venv .venv && .venv/bin/pip install componentize-py==$wanted, then set COMPONENTIZE_PY to .venv/bin/componentize-py" >&2
  exit 69
}
found=${found##* }
if [ "$found" != "$wanted" ]; then
  echo "componentize-py is $found; this example was tried with $wanted" >&2
fi
scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT
mkdir -p build "$scratch/source" "$scratch/venv/lib/python3/site-packages"
# What lies on the module path stands in the bytes: the sources alone, and no site-packages.
cp app.py days_remaining.py "$scratch/source"
cp -r ../../../python/provender_logic "$scratch/source"
wit=$PWD/../../../../wit
# stub-wasi: what would need the outside traps, and nothing is imported.
(cd "$scratch/source" && VIRTUAL_ENV=$scratch/venv "$program" -d "$wit" -w logic-plugin \
  componentize app --stub-wasi -p . -o "$scratch/component.wasm")
out=${1:-$PWD/build/days_remaining-v2.wasm}
(cd ../../.. && cargo run --locked -q -p provender-build -- \
  --encode "$scratch/component.wasm" -o "$out" --language Python \
  --tool "componentize-py=$found")
