# shellcheck shell=bash
# Sourced by what calls cargo.

# With HOME pointing at an empty folder, rustup's `cargo` looks for its toolchains there in vain: they are where it is.
if ! cargo --version >/dev/null 2>&1; then
  cargo_home=$(dirname "$(dirname "$(command -v cargo)")")
  export CARGO_HOME=${CARGO_HOME:-$cargo_home} RUSTUP_HOME=${RUSTUP_HOME:-$(dirname "$cargo_home")/.rustup}
fi
