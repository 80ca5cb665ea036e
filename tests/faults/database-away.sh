#!/usr/bin/env bash
# database-away.sh: PostgreSQL is stopped and started under load, cleanly and by a crash.
# shellcheck source=tests/faults/lib.sh
source "$(dirname "$0")/lib.sh"

title "the database stops and starts under load: 503 with Retry-After, not ready, then everything goes on by itself"
use postgres
for node in one two; do start_node "$node"; urls+=("${address[$node]}"); done
load_step prepare
load_begins
for mode in fast immediate; do
  sleep 2
  stop_postgres "$mode"
  # A node that has heard nothing for three seconds says so.
  sleep "${AWAY:-5}"
  for node in one two; do
    answer=$(curl -s -m 20 -o /dev/null -w '%{http_code}' "${address[$node]}/health/ready")
    [[ $answer == 503 ]] || wrong "node $node is ready without a database ($answer)"
    answer=$(curl -s -m 20 -D - -o /dev/null -u demo-service:demo-service-secret -d 'grant_type=client_credentials&scope=items:read' "${address[$node]}/connect/token")
    unavailable "$answer" || wrong "node $node answers without a database: $(head -n 1 <<<"$answer")"
    [[ $(curl -s -m 20 -o /dev/null -w '%{http_code}' "${address[$node]}/health/live") == 200 ]] || wrong "node $node is not alive"
  done
  start_postgres
  since=$(date +%s%N)
  for node in one two; do ready "${address[$node]}" 10 || wrong "node $node is not ready ten seconds after the database is back"; done
  says "after a stop ($mode) both nodes were ready again in $((($(date +%s%N) - since) / 1000000)) ms"
done
sleep 2
load_ends
load_holds
finish
