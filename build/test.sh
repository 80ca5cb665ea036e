#!/usr/bin/env bash
# test.sh [--long]: set-up, one build, all test projects, the repository's own checks; the last line is "N passed, N failed".
set -euo pipefail
cd "$(dirname "$0")/.."
# The totals below are read from dotnet's own words.
export DOTNET_CLI_UI_LANGUAGE=en DOTNET_NOLOGO=1
results=artifacts/test-results
if [[ ${1:-} == --long ]]; then export IDP_TEST_LONG=1; fi

build/setup.sh test
rm -rf "$results" && mkdir -p "$results"

passed=0 failed=0 skipped=0
check() { # NAME COMMAND...: a check of the repository counts as one test
  local name=$1
  shift
  if "$@" >"$results/$name.log" 2>&1; then
    passed=$((passed + 1))
    echo "Passed!  $name"
  else
    failed=$((failed + 1))
    echo "Failed!  $name"
    tail -n 60 "$results/$name.log"
  fi
}
finish() {
  local line="$passed passed, $failed failed"
  ((skipped == 0)) || line+=", $skipped skipped"
  if [[ ${IDP_TEST_LONG:-} ]]; then
    { echo "make test-long at $(git rev-parse --short HEAD), $(date -u +%F)"; sed -n 's/ - Duration.*//; /^\(Passed\|Failed\)!/p' "$results/dotnet.log"; echo "$line"; } >docs/test-long.txt
  fi
  echo "$line"
  exit $((failed > 0))
}

# Release: this machine builds once for tests, demo and interop alike, and what is tested is what is shipped.
if ! dotnet build IdentityProvider.sln -c Release -v q; then
  failed=1
  finish
fi

# -m:1: two test hosts at once would fight for the cores and for the time limits of their tests.
status=0
dotnet test IdentityProvider.sln -c Release --no-build -m:1 --logger trx --results-directory "$results" 2>&1 | tee "$results/dotnet.log" || status=$?
while read -r f p s; do
  failed=$((failed + f)) passed=$((passed + p)) skipped=$((skipped + s))
done < <(sed -nE 's/^(Passed|Failed|Skipped)! +- Failed: *([0-9]+), Passed: *([0-9]+), Skipped: *([0-9]+).*/\2 \3 \4/p' "$results/dotnet.log")
# A test host that crashed prints no totals.
if ((status != 0 && failed == 0)); then failed=1; fi

check conformance build/conformance.py "$results" --check
check demo build/demo.sh --no-build
check scripts build/lint.sh
check deploy tests/deploy/files.sh
check format dotnet format IdentityProvider.sln --verify-no-changes --no-restore
finish
