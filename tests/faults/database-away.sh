#!/usr/bin/env bash
# database-away.sh: PostgreSQL is stopped and started under load, cleanly and by a crash, and hangs: nothing answers, nothing is refused.
# shellcheck source=tests/faults/lib.sh
source "$(dirname "$0")/lib.sh"

title "the database stops and starts under load: 503 with Retry-After, not ready, then everything goes on by itself"
use postgres
for node in one two; do start_node "$node"; urls+=("${address[$node]}"); done
load_step prepare
load_begins
bearer() { curl -s -m 20 -u demo-service:demo-service-secret -d 'grant_type=client_credentials&scope=items:read' "${address[one]}/connect/token" | python3 -c 'import json,sys; print(json.load(sys.stdin)["access_token"])'; }
introspect() { curl -s -m 40 -D - -o /dev/null -w '%{time_total}\n' -u demo-api:demo-api-secret -d "token=$token" "$1/connect/introspect"; }
for mode in fast immediate hang; do
  sleep 2
  token=$(bearer)
  if [[ $mode == hang ]]; then freeze_postgres; else stop_postgres "$mode"; fi
  # What is asked now, when no node knows, is answered too.
  introspect "${address[one]}" >"$work/caught" & caught=$!
  # A node that has heard nothing for three seconds says so.
  sleep "${AWAY:-5}"
  for node in one two; do
    answer=$(curl -s -m 20 -o /dev/null -w '%{http_code}' "${address[$node]}/health/ready")
    [[ $answer == 503 ]] || wrong "node $node is ready without a database ($answer)"
    answer=$(curl -s -m 20 -D - -o /dev/null -u demo-service:demo-service-secret -d 'grant_type=client_credentials&scope=items:read' "${address[$node]}/connect/token")
    unavailable "$answer" || wrong "node $node answers without a database: $(head -n 1 <<<"$answer")"
    answer=$(introspect "${address[$node]}")
    unavailable "$answer" || wrong "node $node introspects without a database: $(head -n 1 <<<"$answer")"
    (($(tail -n 1 <<<"$answer" | cut -d. -f1) < 4)) || wrong "node $node takes $(tail -n 1 <<<"$answer") s to say that it cannot introspect"
    [[ $(curl -s -m 20 -o /dev/null -w '%{http_code}' "${address[$node]}/health/live") == 200 ]] || wrong "node $node is not alive"
  done
  wait "$caught" || true
  unavailable "$(cat "$work/caught")" || wrong "what was under way has no answer: $(head -n 1 "$work/caught")"
  says "what was under way had its 503 after $(tail -n 1 "$work/caught") s"
  if [[ $mode == hang ]]; then thaw_postgres; else start_postgres; fi
  since=$(date +%s%N)
  for node in one two; do ready "${address[$node]}" 10 || wrong "node $node is not ready ten seconds after the database is back"; done
  says "after a stop ($mode) both nodes were ready again in $((($(date +%s%N) - since) / 1000000)) ms"
done
sleep 2
load_ends
load_holds
finish
