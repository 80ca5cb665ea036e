#!/usr/bin/env bash
# stopping.sh [sqlite|postgres]: SIGTERM while passwords wait to be hashed.
# shellcheck source=tests/faults/lib.sh
source "$(dirname "$0")/lib.sh"

title "SIGTERM with ${SIGN_INS:-200} passwords waiting to be hashed: each is answered, and the program ends with exit code 0 in time"
use "${1:-sqlite}"
export IDP__Passwords__Iterations=210000 IDP__Passwords__QueuePerThread=400 IDP__Passwords__LockoutAttempts=100000
start_node one
python3 "$faults/sign-ins.py" "${address[one]}" "${SIGN_INS:-200}" "$work/begun" >"$work/answers" &
clients=$!
for _ in {1..200}; do [[ ! -f $work/begun ]] || break; sleep 0.05; done
sleep 1
since=$(date +%s%N)
stop_node one
took=$((($(date +%s%N) - since) / 1000000))
((code == 0)) || wrong "exit code $code"
((took < 30000)) || wrong "it took $took ms, and an operator gives it 30 s"
wait "$clients" || wrong "$(cat "$work/answers")"
says "$(tail -n 1 "$work/answers"); it ended with exit code $code in $took ms"
# An attempt was counted before each was hashed; those that were refused for the stop must not count as wrong.
attempts='SELECT COALESCE(SUM("Failures"), 0) FROM "SignInAttempts"'
if [[ $engine == sqlite ]]; then
  counted=$(python3 -c 'import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone()[0])' "$work/data/idp.db" "$attempts")
else
  counted=$(psql_do idp -tAc "$attempts")
fi
((counted == 0)) || wrong "$counted attempts count as wrong passwords"
start_node one
[[ $(status "${address[one]}") == 200 ]] || wrong "it does not start again"
finish
