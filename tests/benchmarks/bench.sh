#!/usr/bin/env bash
# bench.sh: measures the published program and appends a dated section to docs/BENCHMARKS.md.
#   BENCH_COMPARE   path of a script that measures this project beside a peer and a floor (variables it gets: IDP_START, IDP_URL,
#                   IDP_BODY); a folder `floor` beside it is the floor of our own figures too. Unset: only our own figures, no ratios.
#   ROUNDS [5]  SECONDS_EACH [4]  PARTS [all of load.sh]
set -euo pipefail
cd "$(dirname "$0")/../.."
export ROUNDS=${ROUNDS:-5} SECONDS_EACH=${SECONDS_EACH:-4}
compare=${BENCH_COMPARE:-} document=docs/BENCHMARKS.md

build/setup.sh bench
build/publish.sh
# shellcheck source=tests/benchmarks/seed.sh
source tests/benchmarks/seed.sh
trap 'rm -rf "$work"' EXIT

if [[ ! -e $document ]]; then
  cat >"$document" <<'END'
# Benchmarks

Each section is one run of `make bench` (tests/benchmarks). The server is the published program with an SQLite database on core 0, the load
on core 1; figures are medians of interleaved rounds, ratios are taken within a round, so that the machine's drift hits both sides alike.
The *floor* is bare Kestrel that does the least a token endpoint can do, or answers a small JSON document. A machine with other work gives
worse figures on all sides, and useless ones for the 99th percentile.

- `token`: client_credentials, ES256, scopes checked. `introspect-new`: introspection of a JWT that this process has never seen;
  `introspect-repeated`: of a thousand that come again and again.
- The password figures use 32 users; bare hashes are the same PBKDF2 by the same OpenSSL, outside the server.
END
fi

{
  echo
  echo "## $(date -u +'%F %H:%M') UTC, commit $(git describe --always --dirty)"
  echo
  echo "\`make bench\` with ROUNDS=$ROUNDS SECONDS_EACH=$SECONDS_EACH on $(nproc) cores ($(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1)): server on core 0, load on core 1, SQLite."
} >"$work/section"

if [[ $compare ]]; then
  echo "Side by side with the peer and the floor (a few minutes)"
  {
    printf '\n```\n'
    IDP_URL=http://127.0.0.1:7101 IDP_START="$(serve_command http://127.0.0.1:7101)" IDP_BODY=$token_body "$compare"
    printf '```\n'
  } | tee -a "$work/section"
  FLOOR=$(dirname "$compare")/floor
  export FLOOR
else
  echo "BENCH_COMPARE is not set: our own figures only, without ratios (BENCH_COMPARE=/path/to/compare.sh make bench)"
fi

tests/benchmarks/load.sh | tee -a "$work/section"
cat "$work/section" >>"$document"
