#!/usr/bin/env bash
# Makes artifacts/records.wasm and artifacts/json.wasm, as the shipped components are made: the same
# profile, the same encoder, no path of this machine in the bytes. `--check` compares instead.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
target=$PWD/target
sysroot=$(rustc --print sysroot)
home=${CARGO_HOME:-$HOME/.cargo}
flags=(-Ctarget-feature=+simd128 "--remap-path-prefix=$home=/cargo")
for registry in "$home"/registry/src/*; do flags+=("--remap-path-prefix=$registry=/cargo/registry"); done
commit=$(rustc -vV | sed -n 's/^commit-hash: //p')
flags+=("--remap-path-prefix=$sysroot=/rust" "--remap-path-prefix=$sysroot/lib/rustlib/src/rust=/rustc/$commit"
  "--remap-path-prefix=$PWD=/src")
CARGO_ENCODED_RUSTFLAGS=$(printf '%s\x1f' "${flags[@]}")
export CARGO_ENCODED_RUSTFLAGS=${CARGO_ENCODED_RUSTFLAGS%$'\x1f'}
source=()
if [ ! -d "$sysroot/lib/rustlib/wasm32-unknown-unknown/lib" ]; then
  source=(-Zbuild-std=std,panic_abort)
  export RUSTC_BOOTSTRAP=1
fi
cargo build --locked --release --target wasm32-unknown-unknown --target-dir "$target" -p records -p json ${source[@]+"${source[@]}"}
unset CARGO_ENCODED_RUSTFLAGS RUSTC_BOOTSTRAP
for name in records json; do
  made=artifacts/$name.wasm
  [ "${1:-}" = --check ] && made=$target/$name.wasm
  cargo run --locked -q --manifest-path ../../../../logic-plugins/Cargo.toml -p provender-build -- \
    --encode "$target/wasm32-unknown-unknown/release/$name.wasm" -o "$made" --language rust
  cmp "$made" "artifacts/$name.wasm"
done
