#!/bin/bash
# Runs fuzz targets one after the other, each for SECONDS on one core: half of it with debug assertions, half as released.
#   run.sh SECONDS [TARGET...]
# Ends with 1 when something was found; the input lies in findings/<target>/, where the next test run finds it too.
set -eu
cd "$(dirname "$0")"
seconds=$1
shift
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(cd fuzz_targets && ls -- *.rs | sed 's/\.rs$//')
failed=0
total=0
for target in "${targets[@]}"; do
  mkdir -p "corpus/$target" "findings/$target"
  for build in "--debug-assertions" "--release"; do
    log=$(mktemp)
    # The corpus grows in corpus/ (not kept in git); seeds are only read. 1.5 GB cover what one input may take with ASan.
    if ! nice -n 10 cargo +nightly fuzz run $build "$target" "corpus/$target" "seeds/$target" "findings/$target" -- \
      -max_total_time=$((seconds / 2)) -timeout=20 -rss_limit_mb=1536 -max_len=65536 -print_final_stats=1 \
      -artifact_prefix="findings/$target/" >"$log" 2>&1; then
      failed=1
      echo "$target $build: FOUND SOMETHING"
      tail -n 60 "$log"
    fi
    runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tail -n 1)
    total=$((total + ${runs:-0}))
    echo "$target $build: ${runs:-0} runs in $((seconds / 2)) s"
    rm -f "$log"
  done
done
echo "${#targets[@]} targets, $total runs, $([ $failed = 0 ] && echo nothing found || echo SOMETHING FOUND)"
exit $failed
