#!/usr/bin/env bash
# retention.sh [ROWS]: what removing expired rows does to people who are served meanwhile, as Markdown. ROWS (10,000,000) grants that have
# expired lie in the embedded database; refreshes with rotation run beside the sweep, server on core 0, load on core 1.
# ROUNDS [3]   SECONDS_EACH [15]   CONNECTIONS [16]. Needs artifacts/idp/IdP (make publish).
set -euo pipefail
cd "$(dirname "$0")/../.."
here=tests/benchmarks
rows=${1:-10000000} rounds=${ROUNDS:-3} seconds=${SECONDS_EACH:-15} connections=${CONNECTIONS:-16}
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

start_server
refresh 5 >/dev/null
stop_server
seed_expired
: >"$work/rows"
for ((round = 1; round <= rounds; round++)); do
  # The first look comes a minute after the start: until then the server is idle but for the load.
  start_server
  began=$(oldest)
  refresh 20 >/dev/null
  idle=$(refresh "$seconds")
  if [[ $(oldest) != "$began" ]]; then echo 'the sweep began too early: a smaller SECONDS_EACH' >&2; exit 3; fi
  while [[ $(oldest) == "$began" ]]; do sleep 0.5; done
  from=$(oldest)
  sweeping=$(refresh "$seconds")
  gone=$(($(oldest) - from))
  # Nothing left to remove would look like a sweep that costs nothing.
  if ((gone < seconds * 10 || $(oldest) > $(date +%s%3N))); then echo "only $gone rows went: use more ROWS" >&2; exit 3; fi
  echo "$idle $sweeping $((gone / seconds))" | tee -a "$work/rows" >&2
  stop_server
done
median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
column() { cut -d' ' -f"$1" "$work/rows" | median; }
printf '\n| refresh with rotation, %s connections, %s expired grants | idle | while they are removed | ratio |\n| --- | --- | --- | --- |\n' "$connections" "$rows"
printf '| a second | %.0f | %.0f | %s |\n' "$(column 1)" "$(column 4)" "$(awk '{ printf "%.2f\n", $4 / $1 }' "$work/rows" | median)"
printf '| median ms | %s | %s | %s |\n' "$(column 2)" "$(column 5)" "$(awk '{ printf "%.2f\n", $5 / $2 }' "$work/rows" | median)"
printf '| 99th percentile ms | %s | %s | %s |\n' "$(column 3)" "$(column 6)" "$(awk '{ printf "%.2f\n", $6 / $3 }' "$work/rows" | median)"
printf '\nRows removed a second: %s (medians of %s rounds; the ratios are taken within a round).\n' "$(column 7)" "$rounds"
