#!/usr/bin/env bash
# disk-full.sh [sqlite|postgres]: the disk of the database is full in the middle of writing, and has room again later.
# shellcheck disable=SC2317 # functions that are called by their name
# shellcheck source=tests/faults/lib.sh
source "$(dirname "$0")/lib.sh"

title "the disk is full while the write-ahead log grows, on ${1:-sqlite}: writes answer 503, nothing acknowledged is lost, and it goes on when there is room"
if [[ ${1:-sqlite} == sqlite ]]; then disk=$work/data size=24m; else disk=$work/pg size=256m; fi
mkdir "$disk"
if ! mount -t tmpfs -o size=$size tmpfs "$disk" 2>/dev/null; then
  not_run "this user may not mount a small disk (root in a container with CAP_SYS_ADMIN may)"
fi
mounts+=("$disk")
# fill KILOBYTES: leaves so much.
fill() { head -c "$((($(df --output=avail -k "$disk" | tail -n 1) - $1) * 1024))" /dev/zero >"$disk/filler" || true; }
# A revocation must be stored; of its answer with headers.
revocation() {
  local token
  token=$(curl -s -m 20 -u demo-service:demo-service-secret -d 'grant_type=client_credentials&scope=items:read' "${urls[0]}/connect/token" | sed -nE 's/.*"access_token":"([^"]+)".*/\1/p')
  curl -s -m 20 -D - -u demo-service:demo-service-secret --data-urlencode "token=$token" "${urls[0]}/connect/revoke" || true
}
stored() { grep -q '^HTTP/1.1 200' <<<"$(revocation)"; }
refused() { answer=$(revocation) && grep -q '^HTTP/1.1 503' <<<"$answer"; }

use "${1:-sqlite}"
start_node one
urls=("${address[one]}")
load_step prepare
load_begins
sleep 2
for ((round = 1; round <= ${ROUNDS:-2}; round++)); do
  if [[ $engine == sqlite ]]; then
    # Everything but a few pages: the log runs into the end of the disk by itself.
    fill 64
  else
    fill 4096
    # PostgreSQL keeps logs to write into; when it needs another one it ends.
    for _ in {1..200}; do psql_do idp -c "SELECT pg_switch_wal()" >/dev/null 2>&1 || break; done
  fi
  eventually refused || wrong "round $round: writes go on although the disk is full"
  unavailable "$answer" || wrong "a revocation that cannot be stored is answered: $(head -n 1 <<<"$answer")"
  # What writes nothing goes on, where the database does.
  [[ $engine != sqlite || $(status "${urls[0]}") == 200 ]] || wrong "no token for a service, which needs no disk: $(status "${urls[0]}")"
  sleep 2
  rm "$disk/filler"
  if [[ $engine == postgres ]] && ! psql_do idp -c SELECT >/dev/null 2>&1; then
    says "PostgreSQL has ended, as it does without room for its log, and is started again"
    stop_postgres immediate || true
    start_postgres
  fi
  eventually stored || wrong "round $round: writes do not go on although there is room"
  sleep 1
done
# And when the process ends on a full disk, a start on one with room finds everything.
if [[ $engine == sqlite ]]; then
  fill 32
  sleep 2
  kill_node one
  rm "$disk/filler"
  start_node one
  grep -q 'The disk of the database .* is full' "$work/one.log" || wrong "the log does not say that the disk is full"
fi
sleep 1
load_ends
load_holds
finish
