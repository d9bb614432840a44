#!/usr/bin/env bash
# Makes days_remaining-v2.wasm. Needs: clang with wasi-libc, here the PyPI package ziglang 0.17.1
# (PYTHON names the interpreter that has it), and cargo for the last step.
# `./build.sh --check` builds into a temporary folder and compares with the component beside this file.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
python=${PYTHON:-python3}
wanted=0.17.1
found=$("$python" -m ziglang version 2>/dev/null) || {
  echo "ziglang is missing: $python -m pip install ziglang==$wanted, or set PYTHON to an interpreter that has it" >&2
  exit 69
}
if [ "$found" != "$wanted" ]; then
  echo "ziglang is $found and the stored component was built with $wanted: the bytes may differ" >&2
fi
scratch=$(mktemp -d)
trap 'rm -r "$scratch"' EXIT
# No fused multiply-add: each operation rounds by itself, as in the Rust twin. No debug info, but the
# name section, so that a trap's backtrace names the function. 1 MiB of stack, as Rust has: zig's own
# 16 MiB would be memory of every instance.
"$python" -m ziglang cc -target wasm32-wasi -O2 -ffp-contract=off -g0 -Wl,--strip-debug \
  -Wall -Wextra -Werror -mexec-model=reactor -Wl,--no-entry -Wl,-z,stack-size=1048576 \
  days_remaining.c glue.c generated/logic_plugin.c generated/logic_plugin_component_type.o -o "$scratch/core.wasm"
out=$PWD/days_remaining-v2.wasm
if [ "${1:-}" = --check ]; then out=$scratch/days_remaining-v2.wasm; fi
(cd ../../.. && cargo run --locked -q -p provender-build -- \
  --encode "$scratch/core.wasm" -o "$out" --language C --tool "zig cc=$found" --tool wit-bindgen-c=0.63.0)
if [ "${1:-}" = --check ]; then
  cmp "$out" days_remaining-v2.wasm && echo "same bytes as the stored component"
fi
