#!/usr/bin/env bash
# The durability tests at full length: 1,000 kills and 200 power cuts instead of the handful that `make test` does.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export SIMWARDEN_REQUIRE_ALL=1 SIMWARDEN_KILLS=${SIMWARDEN_KILLS:-1000} SIMWARDEN_POWER_CUTS=${SIMWARDEN_POWER_CUTS:-200}
scripts/packages.sh xfsprogs e2fsprogs strace || true
echo "soak: $SIMWARDEN_KILLS kills, $SIMWARDEN_POWER_CUTS power cuts; this takes a while"
scripts/postgres.sh run cargo test --release --locked -p simwarden-store --test durability --test suite -- --nocapture
SIMWARDEN_SMDP_KILLS=${SIMWARDEN_SMDP_KILLS:-200} cargo test --release --locked -p simwarden --test smdp kills -- --nocapture
