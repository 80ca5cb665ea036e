# What the fault scripts share: a folder that goes with the script, nodes of the built program, a PostgreSQL cluster, the load with its ledger.
# shellcheck shell=bash
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
program=${IDP_PROGRAM:-src/IdP/bin/Release/net10.0/IdP.dll}
[[ -f $program ]] || { echo "There is no $program: run 'make build' first." >&2; exit 2; }
program=$(realpath "$program")
faults=$PWD/tests/faults
work=$(mktemp -d "${TMPDIR:-/tmp}/idp-fault-XXXXXX")
declare -A pids=()
mounts=() urls=() load=''
failed=0
# shellcheck source=tests/postgres.sh
source tests/postgres.sh
export DOTNET_NOLOGO=1 IDP__Passwords__Iterations=1000 IDP__Tokens__RefreshOverlapSeconds=60
IDP__Keys__MasterKey=$(head -c 32 /dev/urandom | base64)
export IDP__Keys__MasterKey

title() { echo "$1"; }
says() { echo "    $1"; }
wrong() { echo "    WRONG: $1"; failed=$((failed + 1)); }

# The last line of a script; whatever ends it earlier prints FAILED too.
finish() { ((failed == 0)) || exit 1; finished=ok; exit 0; }
# not_run REASON: what this script is about cannot be had here; exit code 77, which is no success.
not_run() { finished="NOT RUN: $1"; exit 77; }
# Of the errors in the nodes' logs those that are no failure of the database come last.
log_tail() {
  grep -h -E '"level":"(Error|Fatal)"' "$work"/*.log 2>/dev/null | awk '/The database|The outbox/ { if (n++ < 3) print; next } { late = late "\n" $0 } END { print late }' | cut -c1-3000 || true
}
cleanup() {
  local code=$? name mount
  trap - EXIT
  [[ ! $load ]] || kill -9 "$load" 2>/dev/null || true
  for name in "${!pids[@]}"; do
    kill -9 "${pids[$name]}" 2>/dev/null || true
    wait "${pids[$name]}" 2>/dev/null || true
  done
  stop_postgres immediate 2>/dev/null || true
  for mount in "${mounts[@]}"; do umount -l "$mount" 2>/dev/null || true; done
  if [[ ${finished:-} ]]; then echo "$finished"; else log_tail; echo FAILED; fi
  rm -rf "$work"
  [[ ${finished:-} ]] || ((code)) || code=1
  exit "$code"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# ready URL [SECONDS]: waits until the node may issue tokens.
ready() {
  local until=$((SECONDS + ${2:-30}))
  until curl -sf -m 5 -o /dev/null "$1/health/ready"; do
    ((SECONDS < until)) || return 1
    sleep 0.1
  done
}

# status URL: the status of a token request, or 000 without an answer.
status() { curl -s -m 20 -o /dev/null -w '%{http_code}' -u demo-service:demo-service-secret -d 'grant_type=client_credentials&scope=items:read' "$1/connect/token" || true; }

# eventually COMMAND...: within ten seconds.
eventually() { for _ in {1..100}; do if "$@"; then return; fi; sleep 0.1; done; return 1; }

# unavailable ANSWER: whether this answer with its headers is 503 with a time to wait.
unavailable() { grep -q '^HTTP/1.1 503' <<<"$1" && grep -qi '^retry-after: [1-9]' <<<"$1"; }

# use sqlite|postgres: where the nodes keep their data.
use() {
  engine=$1
  mkdir -p "$work/data"
  IDP__Storage__DataDirectory=$work/data
  export IDP__Storage__DataDirectory
  if [[ $engine == postgres ]]; then
    start_postgres
    export IDP__Storage__Provider=postgres
    IDP__Storage__ConnectionString="Host=127.0.0.1;Port=$postgres_port;Username=postgres;Database=idp;Maximum Pool Size=30"
    export IDP__Storage__ConnectionString
  fi
}

# start_node NAME [COMMAND...]: a node of the demo, started by the command if there is one; all have the first one's address as issuer.
start_node() {
  local name=$1 url
  shift
  url=${address[$name]:-http://127.0.0.1:$(free_port)}
  address[$name]=$url
  export IDP__Issuer=${IDP__Issuer:-$url}
  "$@" dotnet "$program" serve --demo --urls "$url" >>"$work/$name.log" 2>&1 &
  pids[$name]=$!
  ready "$url" 60 || { echo "    $name does not start"; exit 1; }
}
declare -A address=()

kill_node() { kill -9 "${pids[$1]}"; wait "${pids[$1]}" 2>/dev/null || true; unset "pids[$1]"; }

# stop_node NAME: as an operator would; its exit code is in $code.
stop_node() {
  kill -TERM "${pids[$1]}"
  code=0
  wait "${pids[$1]}" || code=$?
  unset "pids[$1]"
}

# load prepare|run|check: the clients. `run` goes on beside the script until load_ends.
load_step() { python3 "$faults/load.py" "$1" "$work/ledger.json" "${urls[@]}"; }
load_begins() {
  python3 "$faults/load.py" run "$work/ledger.json" "${urls[@]}" &
  load=$!
}
load_ends() {
  kill -TERM "$load"
  wait "$load" || wrong "the load met what it must not"
  load=''
}
load_holds() { load_step check || wrong "the ledger does not hold"; }
