#!/bin/bash
# Runs fuzz targets one after the other, each for SECONDS on one core.
#   run.sh SECONDS [TARGET...]
# One build serves all: optimized, with debug assertions, overflow checks and AddressSanitizer. Ends with 1 when something was
# found; the input lies in findings/<target>/, where the next test run finds it too.
set -euo pipefail
cd "$(dirname "$0")"
seconds=$1
shift
mapfile -t known < <(cd fuzz_targets && ls -- *.rs | sed 's/\.rs$//')
targets=("$@")
[ ${#targets[@]} -gt 0 ] || targets=("${known[@]}")
for target in "${targets[@]}"; do
  if [ ! -f "fuzz_targets/$target.rs" ]; then
    echo "run.sh: no target \"$target\"; there are: ${known[*]}" >&2
    exit 2
  fi
done

# 1.5 GB cover what one input may take with AddressSanitizer.
options=(-max_total_time="$seconds" -timeout=30 -rss_limit_mb=1536 -max_len=65536 -print_final_stats=1)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
found=()
total=0
echo "building ${#known[@]} targets (minutes the first time)"
nice -n 10 cargo +nightly fuzz build --debug-assertions
for target in "${targets[@]}"; do
  mkdir -p "corpus/$target" "findings/$target"
  echo "$target: running for $seconds s"
  # The corpus grows in corpus/ (not kept in git); seeds and findings are only read.
  if ! nice -n 10 cargo +nightly fuzz run --debug-assertions "$target" "corpus/$target" "seeds/$target" "findings/$target" -- \
    "${options[@]}" -artifact_prefix="findings/$target/" >"$log" 2>&1; then
    found+=("$target")
    echo "$target: FOUND SOMETHING"
    tail -n 60 "$log"
  fi
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -n 1)
  # libFuzzer's own line: edges that were reached.
  edges=$(sed -n 's/^#.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1)
  total=$((total + ${runs:-0}))
  echo "$target: ${runs:-0} runs, ${edges:-0} edges"
  rmdir --ignore-fail-on-non-empty "findings/$target"
done
if [ ${#found[@]} -gt 0 ]; then
  echo "${#targets[@]} targets, $total runs; FOUND SOMETHING: ${found[*]} (inputs in $PWD/findings)"
  exit 1
fi
echo "${#targets[@]} targets, $total runs, nothing found"
