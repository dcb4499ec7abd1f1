#!/usr/bin/env bash
# Everything that must hold, on a fresh machine with only the toolchain: installs what it needs, starts what it
# needs, runs every check, and leaves nothing running, whether it ends well or not.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export CARGO_TERM_COLOR=${CARGO_TERM_COLOR:-auto}

scratch=$(mktemp -d "${TMPDIR:-/tmp}/simwarden-test.XXXXXX")
chmod 755 "$scratch"
done_steps=()
current=start
began=$SECONDS

finish() {
  local code=$?
  scripts/postgres.sh stop "$scratch/postgres" 2>/dev/null || true
  rm -rf "$scratch"
  echo
  for line in "${done_steps[@]}"; do printf '  ok    %s\n' "$line"; done
  if [ "$code" -eq 0 ]; then
    printf 'make test: all %d steps passed in %d s\n' "${#done_steps[@]}" $((SECONDS - began))
  else
    printf '  FAIL  %s\n' "$current"
    printf 'make test: FAILED in the step "%s" after %d s\n' "$current" $((SECONDS - began))
  fi
}
trap finish EXIT
trap 'exit 130' INT TERM

step() {
  current=$1
  shift
  printf '\n== %s\n' "$current"
  local from=$SECONDS
  "$@"
  done_steps+=("$current ($((SECONDS - from)) s)")
}

packages() {
  scripts/packages.sh postgresql xfsprogs e2fsprogs strace faketime ca-certificates \
    || echo "some packages are missing: the tests that need them will say so and be skipped"
  command -v chromium >/dev/null || scripts/packages.sh chromium \
    || echo "chromium is missing: the browser tests will fail"
}
start_postgres() {
  SIMWARDEN_TEST_PG=$(scripts/postgres.sh start "$scratch/postgres")
  export SIMWARDEN_TEST_PG
}
in_web() { (cd web && "$@"); }

step "Debian packages" packages
if [ -f web/package.json ]; then
  step "web: install" in_web npm ci --no-audit --no-fund
  step "web: types and lint" in_web npm run lint
  step "web: unit tests" in_web npm test
  step "web: build" in_web npm run build
  step "education: lessons and printed matter, made and read back" make --no-print-directory education
fi
step "rust: format" cargo fmt --all --check
step "rust: clippy, warnings are errors" cargo clippy --workspace --all-targets --locked -- -D warnings
step "PostgreSQL" start_postgres
step "rust: tests, on SQLite and on PostgreSQL" cargo test --workspace --locked
step "browser: the pages against the real server" scripts/browser-tests.sh
