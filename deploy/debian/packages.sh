#!/usr/bin/env bash
# Installs the named Debian packages where that is possible, and says what to do where it is not.
set -euo pipefail
missing=()
for name in "$@"; do
  dpkg-query -W -f '${Status}' "$name" 2>/dev/null | grep -q 'install ok installed' || missing+=("$name")
done
[ ${#missing[@]} -eq 0 ] && exit 0
if ! command -v apt-get >/dev/null || [ "$(id -u)" -ne 0 ]; then
  echo "missing: ${missing[*]}. Install them (Debian: sudo apt-get install ${missing[*]}) and run this again." >&2
  exit 1
fi
echo "set-up: Debian packages ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq >/dev/null
apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
