#!/usr/bin/env bash
# all.sh: every fault on every engine that it is about; the last line is "N ok, N FAILED", with "N NOT RUN" where a fault cannot be had here.
set -uo pipefail
here=$(dirname "$0") ok=0 failed=0 not_run=0
fault() { # SCRIPT [ENGINE]
  local script=$1 code=0
  shift
  "$here/$script" "$@" || code=$?
  case $code in
    0) ok=$((ok + 1)) ;;
    77) not_run=$((not_run + 1)) ;;
    *) failed=$((failed + 1)) ;;
  esac
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
line="$ok ok, $failed FAILED"
((not_run == 0)) || line+=", $not_run NOT RUN"
echo "$line"
exit $((failed > 0))
