#!/usr/bin/env bash
# retention.sh [ROWS]: what removing expired rows does to people who are served meanwhile, as Markdown. ROWS (10,000,000) grants that have
# expired lie in the embedded database; refreshes with rotation run beside the sweep, server on core 0, load on core 1.
# ROUNDS [5]   SECONDS_EACH [15]   CONNECTIONS [16]   AGE [140]: how old a server is, in seconds, when it is measured; the compiler needs two minutes
# of a core that is never idle, and the removal begins one minute after the start. Needs artifacts/idp/IdP (make publish).
set -euo pipefail
cd "$(dirname "$0")/../.."
here=tests/benchmarks
rows=${1:-10000000} rounds=${ROUNDS:-5} seconds=${SECONDS_EACH:-15} connections=${CONNECTIONS:-16}
url=http://127.0.0.1:7131
server=''
# shellcheck source=tests/benchmarks/seed.sh
source $here/seed.sh
cleanup() {
  if [[ $server ]]; then kill "$server" 2>/dev/null || true; fi
  rm -rf "$work"
}
trap cleanup EXIT

start_server() {
  # shellcheck disable=SC2046 # a command line
  taskset -c 0 $(serve_command $url) >"$work/server.log" 2>&1 &
  server=$!
  for _ in {1..300}; do curl -sf -o /dev/null $url/health/ready && return; sleep 0.1; done
  cat "$work/server.log" >&2
  exit 1
}
stop_server() { kill "$server"; wait "$server" || true; server=''; }

# The oldest expiry moves a millisecond for each row that goes.
oldest() { python3 -c "import sqlite3,sys; print(sqlite3.connect(sys.argv[1]).execute('SELECT MIN(ExpiresAt) FROM Grants').fetchone()[0])" "$data/idp.db"; }

seed_expired() {
  python3 - "$data/idp.db" "$rows" <<'PYTHON'
import os, sqlite3, sys, time
file, rows = sys.argv[1], int(sys.argv[2])
db = sqlite3.connect(file, isolation_level=None)
for pragma in ('locking_mode = EXCLUSIVE', 'synchronous = OFF', 'cache_size = -400000', 'foreign_keys = OFF'):
    db.execute('PRAGMA ' + pragma)
columns = [row[1] for row in db.execute('PRAGMA table_info(Grants)')]
template = dict(zip(columns, db.execute('SELECT * FROM Grants LIMIT 1').fetchone()))
indexes = db.execute("SELECT name, sql FROM sqlite_master WHERE type = 'index' AND tbl_name = 'Grants' AND sql IS NOT NULL").fetchall()
for name, _ in indexes:
    db.execute(f'DROP INDEX "{name}"')
# A day ago and earlier, one each millisecond.
first = int(time.time() * 1000) - 86_400_000 - rows
def expired():
    for number in range(rows):
        at = first + number
        template['Id'] = (at - 3_600_000).to_bytes(6, 'big') + os.urandom(10)
        template['ExpiresAt'] = at
        yield tuple(template[column] for column in columns)
db.execute('BEGIN')
db.executemany(f"INSERT INTO Grants VALUES ({','.join('?' * len(columns))})", expired())
db.execute('COMMIT')
for _, sql in indexes:
    db.execute(sql)
db.execute('PRAGMA wal_checkpoint(TRUNCATE)')
PYTHON
}

refresh() { # SECONDS: "rate p50-ms p99-ms"
  local out
  python3 $here/sign-in.py $url bench-0 bench-Password-4242 64 >"$work/flows"
  out=$(MODE=refresh SEED="$work/flows" taskset -c 1 wrk -t1 -c"$connections" -d"$1s" --timeout 20s --latency -s $here/flows.lua $url)
  if grep -m1 -E 'REFUSED|Socket errors' <<<"$out" >&2; then exit 3; fi
  awk -v s="$1" 'function ms(t) { return t ~ /us$/ ? t / 1000 : t ~ /ms$/ ? t + 0 : t * 1000 }
    /^flows/ { r = $2 / s } $1 == "50%" { m = ms($2) } $1 == "99%" { p = ms($2) } END { print r, m, p }' <<<"$out"
}

# rounds_of AGE: "rate p50-ms p99-ms rows" of each round, once the compiler is done with a server of that age in seconds.
rounds_of() {
  local round from figures started=$SECONDS
  start_server
  while ((SECONDS - started < $1)); do refresh 20 >/dev/null; done
  for ((round = 1; round <= rounds; round++)); do
    from=$(oldest)
    figures=$(refresh "$seconds")
    echo "$figures $(($(oldest) - from))"
  done
  stop_server
}
median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
column() { cut -d' ' -f"$2" "$work/$1" | median; }

age=${AGE:-140}
rounds_of "$age" >"$work/idle"
seed_expired
rounds_of "$age" >"$work/removing"
# Nothing left to remove would look like a sweep that costs nothing.
gone=$(sort -g -t' ' -k4 "$work/removing" | head -n 1 | cut -d' ' -f4)
if ((gone < seconds * 10 || $(oldest) > $(date +%s%3N))); then echo "only $gone rows went in a round: use more ROWS" >&2; exit 3; fi
printf '\n| refresh with rotation, %s connections, %s expired grants | idle | while they are removed | ratio |\n| --- | --- | --- | --- |\n' "$connections" "$rows"
row() { awk -v name="$1" -v a="$(column idle "$2")" -v b="$(column removing "$2")" 'BEGIN { printf "| %s | %s | %s | %.2f |\n", name, a, b, b / a }'; }
row 'a second' 1
row 'median ms' 2
row '99th percentile ms' 3
printf '\nRows removed a second: %s (medians of %s rounds; the servers were %s s old, without expired rows and with them).\n' "$(($(column removing 4) / seconds))" "$rounds" "$age"
