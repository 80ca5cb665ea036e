#!/usr/bin/env bash
# accounts.sh: the account pages of one person among very many, and what a sign-in by password writes, against the published program
# (build/publish.sh makes it) on SQLite. PEOPLE [1000000] LOADS [300]
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/benchmarks/seed.sh
source tests/benchmarks/seed.sh
/usr/bin/python3 tests/benchmarks/accounts.py seed "$data/idp.db" "${PEOPLE:-1000000}"
url=http://localhost:7104
taskset -c 0 "$idp" serve --data "$data" --urls "$url" >"$work/log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
for _ in {1..300}; do curl -fs "$url/health/ready" >/dev/null 2>&1 && break; sleep 0.1; done
taskset -c 1 /usr/bin/python3 tests/benchmarks/accounts.py load "$data/idp.db" "${LOADS:-300}" "$url"
