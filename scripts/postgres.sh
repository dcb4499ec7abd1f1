#!/usr/bin/env bash
# A throw-away PostgreSQL server for tests: a cluster of its own in one folder, on a free port of the loopback
# address, run by an unprivileged user. Nothing of it is durable on purpose.
#
#   scripts/postgres.sh start DIR   makes and starts it; the last line printed is its postgres:// address
#   scripts/postgres.sh stop DIR    stops it and removes DIR
#   scripts/postgres.sh run CMD…    starts one, runs CMD with SIMWARDEN_TEST_PG set, stops it whatever happens
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
say() { printf 'postgres: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# The folder with initdb and pg_ctl: of the newest version that is installed.
programs() {
  local found
  found=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k5 -n | tail -n 1 || true)
  if [ -z "$found" ] && command -v initdb >/dev/null; then found=$(dirname "$(command -v initdb)"); fi
  printf '%s' "$found"
}

need_programs() {
  if [ -z "$(programs)" ]; then
    say "not installed; installing the package postgresql"
    "$here/packages.sh" postgresql >&2
  fi
  [ -n "$(programs)" ] || fail "PostgreSQL is not installed and could not be installed: apt-get install postgresql"
}

# PostgreSQL refuses to run as root: root hands the work to the user that the Debian package brings.
as_user() {
  if [ "$(id -u)" -eq 0 ]; then
    (cd / && runuser -u postgres -- "$@")
  else
    (cd / && "$@")
  fi
}

free_port() {
  local port
  for _ in $(seq 200); do
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
      printf '%s' "$port"
      return
    fi
  done
  fail "no free port was found between 20000 and 32000"
}

start() {
  local dir=$1 bin port
  [ ! -e "$dir/data" ] || fail "$dir is in use already; stop it first"
  need_programs
  bin=$(programs)
  mkdir -p "$dir"
  if [ "$(id -u)" -eq 0 ]; then
    getent passwd postgres >/dev/null || useradd --system --no-create-home postgres
    chown postgres "$dir"
  fi
  as_user "$bin/initdb" --pgdata="$dir/data" --username=simwarden --auth=trust --encoding=UTF8 --locale=C.UTF-8 \
    --no-sync >"$dir.log" 2>&1 || { cat "$dir.log" >&2; fail "initdb failed"; }
  for _ in 1 2 3 4 5; do
    port=$(free_port)
    # max_prepared_transactions and fsync stay off: the data live no longer than the tests.
    if as_user "$bin/pg_ctl" --pgdata="$dir/data" --log="$dir/server.log" --wait --timeout=60 --silent start -o \
      "-c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories='' -c max_connections=300 -c fsync=off -c full_page_writes=off -c shared_buffers=64MB" \
      >>"$dir.log" 2>&1; then
      say "version $("$bin/pg_ctl" --version | grep -o '[0-9.]*' | head -n 1) listens on 127.0.0.1:$port, data in $dir"
      printf 'postgres://simwarden@127.0.0.1:%s/postgres\n' "$port"
      return
    fi
  done
  cat "$dir.log" "$dir/server.log" >&2 || true
  fail "the server did not start"
}

stop() {
  local dir=$1 bin
  bin=$(programs)
  if [ -s "$dir/data/postmaster.pid" ]; then
    as_user "$bin/pg_ctl" --pgdata="$dir/data" --mode=immediate --wait --silent stop >/dev/null 2>&1 || true
  fi
  if [ -e "$dir/data/PG_VERSION" ] || [ -e "$dir.log" ]; then
    rm -rf "$dir" "$dir.log"
    say "stopped, $dir removed"
  fi
}

run() {
  local home
  home=$(mktemp -d "${TMPDIR:-/tmp}/simwarden-pg.XXXXXX")
  chmod 755 "$home"
  # shellcheck disable=SC2064
  trap "stop '$home/cluster'; rm -rf '$home'" EXIT
  trap 'exit 130' INT TERM
  SIMWARDEN_TEST_PG=$(start "$home/cluster")
  export SIMWARDEN_TEST_PG
  "$@"
}

case "${1:-} ${2:-}" in
  "start "?*) start "$2" ;;
  "stop "?*) stop "$2" ;;
  "run "?*) shift; run "$@" ;;
  *) sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
