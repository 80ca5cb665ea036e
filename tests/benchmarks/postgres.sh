#!/usr/bin/env bash
# postgres.sh: the published program (make publish) on PostgreSQL, as Markdown: one, two and three nodes on core 0, PostgreSQL and the load on
# core 1. Two cores show little of how rates grow with nodes; what one answer costs the nodes and the database shows the rest.
# The parts of load.sh that ask the database come after it.
# NODES [1 2 3]   SECONDS_EACH [10]   CONNECTIONS [48, shared among the nodes]   PARTS [password flood start]
set -euo pipefail
cd "$(dirname "$0")/../.."
here=tests/benchmarks
seconds=${SECONDS_EACH:-10} connections=${CONNECTIONS:-48}
work=$(mktemp -d)
nodes=()
# shellcheck source=tests/postgres.sh
source tests/postgres.sh
# seed.sh has a folder of its own.
cluster=$work
cleanup() {
  local pid
  for pid in "${nodes[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait
  stop_postgres immediate || true
  rm -rf "$cluster" "$work"
}
trap cleanup EXIT

export postgres_options='-c shared_preload_libraries=pg_stat_statements'
start_postgres
psql_do idp -c 'CREATE EXTENSION pg_stat_statements'
postmaster=$(head -n 1 "$postgres_data/postmaster.pid")
taskset -apc 1 "$postmaster" >/dev/null
IDP__Keys__MasterKey=$(head -c 32 /dev/urandom | base64)
export IDP__Keys__MasterKey IDP__Storage__Provider=postgres IDP__Issuer=http://127.0.0.1:7141
export IDP__Storage__ConnectionString="Host=127.0.0.1;Port=$postgres_port;Username=postgres;Database=idp;Maximum Pool Size=20"
# shellcheck source=tests/benchmarks/seed.sh
source $here/seed.sh

address() { echo "http://127.0.0.1:$((7140 + $1))"; }
# Seconds of processor time that these processes and their children have used.
used() { python3 - "$@" <<'PYTHON'
import os, sys
def of(pid):
    with open(f'/proc/{pid}/stat') as stat:
        words = stat.read().rsplit(')', 1)[1].split()
    # Of the children that have ended the parent has the time.
    return int(words[1]), sum(map(int, words[11:15]))
asked, total = set(map(int, sys.argv[1:])), 0
for pid in filter(str.isdigit, os.listdir('/proc')):
    try:
        parent, ticks = of(pid)
    except FileNotFoundError:
        continue
    if int(pid) in asked or parent in asked:
        total += ticks
print(total / os.sysconf('SC_CLK_TCK'))
PYTHON
}
# Commits, statements and bytes of WAL so far; PostgreSQL counts commits a second late.
database_work() {
  sleep 1.5
  psql_do idp -tA -F ' ' -c "SELECT (SELECT xact_commit FROM pg_stat_database WHERE datname = 'idp'),
    (SELECT COALESCE(SUM(calls), 0) FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid WHERE datname = 'idp' AND query NOT ILIKE 'BEGIN%' AND query NOT ILIKE 'COMMIT%'),
    pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')"
}

# answers KIND NODE SECONDS: how many were given, once the time is over. An answer that refuses ends the script.
answers() {
  local url out each=$((connections / ${#nodes[@]}))
  url=$(address "$2")
  case $1 in
    token) out=$(BODY=$token_body EXPECT='"access_token"' wrk_on "$each" "$3" -s $here/load.lua "$url/connect/token") ;;
    introspect) out=$(AUTH=$api_authorization TOKENS=$work/tokens EXPECT='"active":true' wrk_on "$each" "$3" -s $here/load.lua "$url/connect/introspect") ;;
    code | refresh)
      out=$(MODE=$1 SEED=$work/flows.$2 wrk_on "$each" "$3" -s $here/flows.lua "$url")
      ;;
  esac
  if grep -m1 -E 'REFUSED|Non-2xx|Socket errors' <<<"$out" >&2; then echo "refused: $1 at $url" >&2; return 3; fi
  awk '/^flows/ { flows = $2 } / requests in / { requests = $1 } END { print flows ? flows : requests }' <<<"$out"
}
wrk_on() { # CONNECTIONS SECONDS [wrk arguments]
  local many=$1 length=$2
  shift 2
  taskset -c 1 wrk -t1 -c"$many" -d"${length}s" --timeout 20s --latency "$@"
}
all_nodes() { # KIND SECONDS: answers of all nodes together
  local node pid running=()
  for node in $(seq ${#nodes[@]}); do
    answers "$1" "$node" "$2" >"$work/answers.$node" &
    running+=($!)
  done
  for pid in "${running[@]}"; do wait "$pid"; done
  cat "$work"/answers.* | awk '{ total += $1 } END { print total }'
  rm "$work"/answers.*
}
sign_in() { for node in $(seq ${#nodes[@]}); do python3 $here/sign-in.py "$(address "$node")" "bench-$node" bench-Password-4242 128 >"$work/flows.$node"; done; }

printf '\n| nodes | | a second | ms of a node, each | ms of PostgreSQL, each | statements | commits | WAL bytes |\n| --- | --- | --- | --- | --- | --- | --- | --- |\n'
for count in ${NODES-1 2 3}; do
  nodes=()
  for node in $(seq "$count"); do
    # shellcheck disable=SC2046 # a command line
    taskset -c 0 $(serve_command "$(address "$node")") >"$work/node-$node.log" 2>&1 &
    nodes+=($!)
    for _ in {1..300}; do curl -sf -o /dev/null "$(address "$node")/health/ready" && break; sleep 0.1; done
  done
  SAVE=$work/saved BODY=$token_body wrk_on 8 2 -s $here/load.lua "$(address 1)/connect/token" >/dev/null
  head -n 1000 "$work/saved" >"$work/tokens"
  rm "$work/saved"
  sign_in
  # Until the compiler is done with each path; what the refreshes used up is made anew.
  for kind in token introspect code refresh; do all_nodes $kind $((count * 20)) >/dev/null; done
  sign_in
  for kind in token introspect code refresh; do
    read -r commits statements wal < <(database_work)
    node_time=$(used "${nodes[@]}") database_time=$(used "$postmaster")
    done_now=$(all_nodes $kind "$seconds")
    node_used=$(awk -v a="$node_time" -v b="$(used "${nodes[@]}")" 'BEGIN { print b - a }')
    database_used=$(awk -v a="$database_time" -v b="$(used "$postmaster")" 'BEGIN { print b - a }')
    read -r commits_now statements_now wal_now < <(database_work)
    awk -v count="$count" -v kind=$kind -v n="$done_now" -v s="$seconds" -v node="$node_used" -v db="$database_used" \
      -v commits=$((commits_now - commits)) -v statements=$((statements_now - statements)) -v wal=$((wal_now - wal)) \
      'BEGIN { printf "| %d | %s | %.0f | %.3f | %.3f | %.2f | %.2f | %.0f |\n", count, kind, n / s, 1000 * node / n, 1000 * db / n, statements / n, commits / n, wal / n }'
  done
  for node in "${nodes[@]}"; do kill "$node"; done
  wait "${nodes[@]}" || true
done

psql_do postgres -c 'CREATE DATABASE parts'
unset IDP__Issuer
IDP__Storage__ConnectionString=${IDP__Storage__ConnectionString/Database=idp/Database=parts} PARTS=${PARTS:-password flood start} SECONDS_EACH=4 CONNECTIONS=16 $here/load.sh
