#!/usr/bin/env bash
# all.sh: every fault on every engine that it is about; the last line is "N ok, N FAILED".
set -uo pipefail
here=$(dirname "$0") ok=0 failed=0
fault() { # SCRIPT [ENGINE]
  local script=$1
  shift
  if "$here/$script" "$@"; then ok=$((ok + 1)); else failed=$((failed + 1)); fi
  echo
}
for engine in sqlite postgres; do
  fault killed.sh $engine
  fault stopping.sh $engine
  fault clock-steps.sh $engine
  fault disk-full.sh $engine
done
fault database-away.sh
fault connections-cut.sh
fault broken-database.sh
echo "$ok ok, $failed FAILED"
exit $((failed > 0))
