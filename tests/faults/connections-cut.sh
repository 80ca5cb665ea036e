#!/usr/bin/env bash
# connections-cut.sh: connections to PostgreSQL are cut in the middle of whatever they do: by the server, and on the way after a statement has been passed on.
# shellcheck source=tests/faults/lib.sh
source "$(dirname "$0")/lib.sh"

title "connections to the database are cut under load, before and after commits: success or 503, and the ledger holds"
use postgres
proxy=$(free_port)
python3 "$faults/cutter.py" "$proxy" "$postgres_port" "$work/cutting" >"$work/cutter.log" 2>&1 &
pids[cutter]=$!
IDP__Storage__ConnectionString=${IDP__Storage__ConnectionString/Port=$postgres_port/Port=$proxy}
for node in one two; do start_node "$node"; urls+=("${address[$node]}"); done
load_step prepare
load_begins
touch "$work/cutting"
sleep "${EACH:-5}"
rm "$work/cutting"
for ((i = 0; i < ${EACH:-5} * 10; i++)); do
  psql_do postgres -tc "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = 'idp'" 2>/dev/null >>"$work/terminated"
  sleep 0.1
done
sleep 1
load_ends
kill -TERM "${pids[cutter]}"
wait "${pids[cutter]}" || true
says "$(tail -n 1 "$work/cutter.log"); $(awk '{ sum += $1 } END { print sum + 0 }' "$work/terminated") ended by the database"
unset "pids[cutter]"
# The load is over: the nodes go on by themselves, by connections that nobody cuts.
python3 "$faults/cutter.py" "$proxy" "$postgres_port" "$work/cutting" >>"$work/cutter.log" 2>&1 &
pids[cutter]=$!
for node in one two; do ready "${address[$node]}" 10 || wrong "node $node does not recover"; done
load_holds
finish
