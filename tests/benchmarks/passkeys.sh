#!/usr/bin/env bash
# passkeys.sh: sign-ins by passkey a second of one core, against the published program (build/publish.sh makes it). SECONDS_EACH [60]: on one core that is never idle the compiler needs a minute
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=tests/benchmarks/seed.sh
source tests/benchmarks/seed.sh
url=http://localhost:7103
IDP__Http__TrustedProxies=127.0.0.1 taskset -c 0 "$idp" serve --data "$data" --urls "$url" >"$work/log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
for _ in {1..100}; do curl -fs "$url/health/ready" >/dev/null 2>&1 && break; sleep 0.1; done
taskset -c 1 /usr/bin/python3 tests/benchmarks/passkeys.py "$url" "$server" "${SECONDS_EACH:-60}"
