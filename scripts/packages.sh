#!/usr/bin/env bash
# Installs the Debian packages given by name that are not there yet: as root, or through sudo where that asks no
# password. Says what is missing and fails where neither works.
#
#   scripts/packages.sh postgresql xfsprogs strace
set -euo pipefail

missing=()
for package in "$@"; do
  state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$state" = installed ] || missing+=("$package")
done
if [ "${#missing[@]}" -eq 0 ]; then exit 0; fi

become=()
if [ "$(id -u)" -ne 0 ]; then
  if ! sudo -n true 2>/dev/null; then
    echo "packages: missing and not installable without root: ${missing[*]}" >&2
    exit 1
  fi
  become=(sudo -n)
fi
echo "packages: installing ${missing[*]}" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
install() { "${become[@]}" apt-get install -y --no-install-recommends "${missing[@]}" </dev/null >"$log" 2>&1; }
# The lists may be absent or older than the packages they name.
install || { "${become[@]}" apt-get update </dev/null >"$log" 2>&1 && install; } || { tail -n 20 "$log" >&2; exit 1; }
