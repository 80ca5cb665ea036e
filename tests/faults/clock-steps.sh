#!/usr/bin/env bash
# clock-steps.sh [sqlite|postgres]: the machine's clock jumps an hour ahead and back (libfaketime), under load.
# shellcheck source=tests/faults/lib.sh
source "$(dirname "$0")/lib.sh"

title "the clock of a node jumps an hour ahead and back, on ${1:-sqlite}: nothing that has expired comes alive again, and tokens tell the database's time"
library=$(find /usr/lib -name libfaketimeMT.so.1 2>/dev/null | head -n 1)
[[ $library ]] || { echo "    This needs the package faketime: run 'make setup'." >&2; exit 2; }
step() { echo "$1" >"$work/step.new" && mv "$work/step.new" "$work/step"; says "the clock is at $1"; }
stepping=(env "LD_PRELOAD=$library" "FAKETIME_TIMESTAMP_FILE=$work/step" FAKETIME_NO_CACHE=1 FAKETIME_DONT_FAKE_MONOTONIC=1)
token() { curl -s -m 20 -u demo-service:demo-service-secret -d 'grant_type=client_credentials&scope=items:read' "$1/connect/token" | sed -nE 's/.*"access_token":"([^"]+)".*/\1/p'; }
active() { curl -s -m 20 -u demo-api:demo-api-secret --data-urlencode "token=$2" "$1/connect/introspect" | grep -q '"active":true'; }
issued_at() { python3 -c 'import base64, json, sys; print(json.loads(base64.urlsafe_b64decode(sys.argv[1].split(".")[1] + "=="))["iat"])' "$1"; }
issues() { [[ $(status "$1") == 200 ]]; }
inactive() { ! active "$@"; }

use "${1:-sqlite}"
step +0s
if [[ $engine == postgres ]]; then
  # The other node's clock is right.
  start_node right
  urls+=("${address[right]}")
fi
start_node stepping "${stepping[@]}"
urls+=("${address[stepping]}")
there=${address[stepping]}
# Codes are left out: an hour later they have run out, as they should.
export CODERS=0
load_step prepare
load_begins
sleep 1

old=$(token "$there")
active "$there" "$old" || wrong "a new token is not active"
step +3700s
if [[ $engine == sqlite ]]; then
  eventually inactive "$there" "$old" || wrong "a token of an hour ago is active"
  new=$(token "$there")
  active "$there" "$new" || wrong "a token made after the step is not active"
  # Until the time is stored, which is due at once.
  sleep 2.5
  step +0s
  sleep 2
  inactive "$there" "$old" || wrong "the step back revived a token that had expired"
  active "$there" "$(token "$there")" || wrong "a token made after the step back is not active"
  active "$there" "$new" || wrong "the step back ended a token that had not expired"
  load_ends
  stop_node stepping
  ((code == 0)) || wrong "exit code $code"
  start_node stepping "${stepping[@]}"
  inactive "$there" "$old" || wrong "a restart with the clock back revived a token that had expired"
else
  for change in +3700s -3700s; do
    step $change
    sleep 2.5
    # Either it stops issuing, or it goes by the database's time.
    new=$(token "$there")
    if [[ $new ]]; then
      off=$(($(issued_at "$new") - $(date +%s)))
      says "the node with the wrong clock issues, $off s off the database"
      ((off >= -5 && off <= 5)) || wrong "it goes by its own clock"
      active "${address[right]}" "$new" || wrong "the other node does not know its token"
    else
      [[ $(status "$there") == 503 ]] || wrong "it answers $(status "$there")"
      says "the node with the wrong clock answers 503"
    fi
    issues "${address[right]}" || wrong "the node with the right clock answers $(status "${address[right]}")"
    active "${address[right]}" "$old" || wrong "the step of another node's clock ended a token"
  done
  step +0s
  eventually issues "$there" || wrong "the node does not issue although its clock is right again"
  ready "$there" 5 || wrong "the node is not ready although its clock is right again"
  sleep 1
  load_ends
fi
load_holds
finish
