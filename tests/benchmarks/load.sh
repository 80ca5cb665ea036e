#!/usr/bin/env bash
# load.sh: our own figures as Markdown, from artifacts/idp/IdP (make publish). Server on core 0, load on core 1, interleaved rounds,
# medians; ratios are taken within a round. FLOOR: folder of a bare Kestrel project with /json and /token, optional.
# PARTS: any of "endpoints library flows password flood metrics start memory"   ROUNDS [5]   SECONDS_EACH [4]   CONNECTIONS [16]
set -euo pipefail
cd "$(dirname "$0")/../.."
here=tests/benchmarks
rounds=${ROUNDS:-5} seconds=${SECONDS_EACH:-4} connections=${CONNECTIONS:-16}
parts=" ${PARTS:-endpoints library flows password flood metrics start memory} "
url=http://127.0.0.1:7111 floor_url=http://127.0.0.1:7113 api_url=http://127.0.0.1:7112
server='' floor='' api='' watched='' reader=''
# shellcheck source=tests/benchmarks/seed.sh
source $here/seed.sh
cleanup() {
  local pid
  for pid in $server $floor $api $watched $reader; do kill "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap cleanup EXIT

up() { for _ in {1..300}; do curl -sf -o /dev/null "$1" && return; sleep 0.1; done; echo "no answer at $1" >&2; cat "$work"/*.log >&2; exit 1; }
start_server() {
  # shellcheck disable=SC2046 # a command line
  taskset -c 0 $(serve_command $url) >"$work/server.log" 2>&1 &
  server=$!
  up $url/health/ready
}
stop_server() { kill "$server"; wait "$server" || true; server=''; }
restart_server() { stop_server; start_server; }

median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# wrk_run SECONDS CONNECTIONS URL [wrk arguments]: "rate p50-ms p99-ms" of one run; a refused answer ends the script.
wrk_run() {
  local out each=$1 many=$2 target=$3
  shift 3
  out=$(taskset -c 1 wrk -t1 -c"$many" -d"${each}s" --timeout 20s --latency "$@" "$target")
  if grep -m1 -E 'REFUSED|Non-2xx|Socket errors' <<<"$out" >&2; then echo "refused at $target" >&2; exit 3; fi
  awk 'function ms(t) { return t ~ /us$/ ? t / 1000 : t ~ /ms$/ ? t + 0 : t * 1000 }
    /Requests\/sec/ { r = $2 } $1 == "50%" { m = ms($2) } $1 == "99%" { p = ms($2) } END { print r, m, p }' <<<"$out"
}
issue() { EXPECT='"access_token"' BODY=$token_body wrk_run "$1" "$connections" $url/connect/token -s $here/load.lua; }
introspect() { # SECONDS CONNECTIONS FILE [ONCE]
  EXPECT='"active":true' AUTH=$api_authorization TOKENS=$3 ONCE=${4:-} wrk_run "$1" "$2" $url/connect/introspect -s $here/load.lua
}
save_tokens() { # FILE COUNT
  : >"$1"
  while (($(wc -l <"$1") < $2)); do SAVE=$1 BODY=$token_body wrk_run 2 "$connections" $url/connect/token -s $here/load.lua >/dev/null; done
  head -n "$2" "$1" >"$1.cut" && mv "$1.cut" "$1"
}

start_floor() {
  [[ ${FLOOR:-} ]] || return 0
  cp -r "$FLOOR" "$work/floor-source"
  dotnet build -c Release -v q -o "$work/floor" "$work/floor-source/floor.csproj" >/dev/null
  FLOOR_URL=$floor_url DOTNET_gcServer=0 taskset -c 0 dotnet "$work/floor/floor.dll" >"$work/floor.log" 2>&1 &
  floor=$!
  up $floor_url/json
}
floor_token_body='grant_type=client_credentials&client_id=svc&client_secret=secret-secret-secret&scope=api'

endpoints() {
  local kinds=(token introspect-new introspect-repeated discovery jwks) kind round figures
  [[ $floor ]] && kinds=(floor-json floor-token "${kinds[@]}")
  # Enough that no round of tokens "not seen before" runs out: four times what is asked of it.
  local enough=$((seconds * 20000))
  for ((round = 0; round <= rounds; round++)); do save_tokens "$work/new.$round" $enough; done
  save_tokens "$work/repeated" 1000
  # What was issued may be cached; a fresh process has seen none of it.
  restart_server
  one() { # KIND ROUND
    case $1 in
      floor-json) wrk_run "$seconds" "$connections" $floor_url/json ;;
      floor-token) BODY=$floor_token_body wrk_run "$seconds" "$connections" $floor_url/token -s $here/load.lua ;;
      token) issue "$seconds" ;;
      introspect-new) introspect "$seconds" "$connections" "$work/new.$2" once ;;
      introspect-repeated) introspect "$seconds" "$connections" "$work/repeated" ;;
      discovery) wrk_run "$seconds" "$connections" $url/.well-known/openid-configuration ;;
      jwks) wrk_run "$seconds" "$connections" $url/.well-known/jwks.json ;;
    esac
  }
  # On one core that is never idle the compiler needs half a minute to be done with a path; a server runs longer than that.
  introspect 30 "$connections" "$work/new.0" >/dev/null
  # Round 0 warms up and does not count.
  for ((round = 0; round <= rounds; round++)); do
    for kind in "${kinds[@]}"; do
      figures=$(one "$kind" "$round")
      echo "$round $kind $figures"
    done
  done >"$work/rows"
  printf '\n| endpoint, %s connections | a second | p99 ms | of the floor |\n| --- | --- | --- | --- |\n' "$connections"
  for kind in "${kinds[@]}"; do
    local base='floor-token'
    if [[ $kind == discovery || $kind == jwks ]]; then base='floor-json'; fi
    if [[ $kind == floor-* ]]; then base=none; fi
    printf '| %s | %.0f | %s | %s |\n' "$kind" \
      "$(awk -v k="$kind" '$1 > 0 && $2 == k { print $3 }' "$work/rows" | median)" \
      "$(awk -v k="$kind" '$1 > 0 && $2 == k { print $5 }' "$work/rows" | median)" \
      "$(awk -v k="$kind" -v b="$base" '$1 > 0 && $2 == b { f[$1] = $3 } $1 > 0 && $2 == k { v[$1] = $3 }
          END { for (r in v) if (f[r]) printf "%.2f\n", v[r] / f[r] }' "$work/rows" | median)"
  done
}

# The sample API on core 0; the provider, which it asks, beside the load on core 1. Only where the provider is asked directly is it on core 0.
library() {
  local token_body='grant_type=client_credentials&client_id=bench-items&client_secret=bench-secret-of-32-characters-ok&scope=items:read'
  local kinds=(open local-known local-new introspected introspected-directly) kind round figures enough=$((seconds * 20000)) once=1
  "$idp" scope add items:read --resource urn:bench:api --data "$data" >/dev/null
  "$idp" client add bench-items --secret bench-secret-of-32-characters-ok --auth-method client_secret_post --grant client_credentials --scope items:read --data "$data" >/dev/null
  sleep 2
  dotnet publish src/ResourceApi -c Release -v q "-clp:ErrorsOnly;NoSummary" -o "$work/api"
  for ((round = 0; round <= rounds; round++)); do save_tokens "$work/new.$round" $enough; done
  save_tokens "$work/repeated" 1000
  DOTNET_gcServer=0 Logging__LogLevel__Default=Warning taskset -c 0 dotnet "$work/api/ResourceApi.dll" --urls $api_url --Provider:Issuer $url --Provider:Audience urn:bench:api \
    --Provider:ClientId bench-api --Provider:ClientSecret bench-secret-of-32-characters-ok >"$work/api.log" 2>&1 &
  api=$!
  up $api_url/health/live
  call() { # PATH TOKENS [ONCE]
    BEARER=1 EXPECT='a lamp' TOKENS=$2 ONCE=${3:-} wrk_run "$seconds" "$connections" "$api_url/$1/items" -s $here/load.lua
  }
  one() { # KIND ROUND
    case $1 in
      open) call open "$work/repeated" ;;
      local-known) call local "$work/repeated" ;;
      local-new) call local "$work/new.$2" "$once" ;;
      introspected) call introspected "$work/repeated" ;;
      introspected-directly)
        taskset -apc 0 "$server" >/dev/null
        introspect "$seconds" "$connections" "$work/repeated"
        taskset -apc 1 "$server" >/dev/null
        ;;
    esac
  }
  taskset -apc 1 "$server" >/dev/null
  # The API is compiled while it runs: until that is done, two rounds in a row differ by half.
  for kind in "${kinds[@]}"; do once='' seconds=12 one "$kind" 0 >/dev/null; done
  for ((round = 0; round <= rounds; round++)); do
    for kind in "${kinds[@]}"; do
      figures=$(one "$kind" "$round")
      echo "$round $kind $figures"
    done
  done >"$work/rows"
  kill "$api"
  wait "$api" || true
  api=''
  printf '\n| an API behind the library, %s connections | a second | p99 ms | ratio |\n| --- | --- | --- | --- |\n' "$connections"
  for kind in "${kinds[@]}"; do
    local base=open of='of the same endpoint without authentication'
    if [[ $kind == introspected ]]; then base=introspected-directly of='of what the provider answers directly'; fi
    if [[ $kind == open || $kind == introspected-directly ]]; then base=none; fi
    printf '| %s | %.0f | %s | %s |\n' "$kind" \
      "$(awk -v k="$kind" '$1 > 0 && $2 == k { print $3 }' "$work/rows" | median)" \
      "$(awk -v k="$kind" '$1 > 0 && $2 == k { print $5 }' "$work/rows" | median)" \
      "$(awk -v k="$kind" -v b="$base" '$1 > 0 && $2 == b { f[$1] = $3 } $1 > 0 && $2 == k { v[$1] = $3 }
          END { for (r in v) if (f[r]) printf "%.2f\n", v[r] / f[r] }' "$work/rows" | median | sed "s/\$/ $of/")"
  done
}

password() {
  local round each=12 bare figures
  # Long enough that what runs around a hash is compiled: a server signs people in for longer than its first minute.
  USERS=32 BODY=$password_body wrk_run 30 4 $url/connect/token -s $here/load.lua >/dev/null
  for ((round = 1; round <= rounds; round++)); do
    bare=$(taskset -c 0 /usr/bin/python3 $here/bare-hash.py $each)
    figures=$(USERS=32 BODY=$password_body wrk_run $each 4 $url/connect/token -s $here/load.lua)
    echo "$bare $figures"
  done >"$work/rows"
  printf '\nPassword grant, 4 connections: %s a second; bare hash computations: %s a second; ratio %s.\n' \
    "$(cut -d' ' -f2 "$work/rows" | median)" "$(cut -d' ' -f1 "$work/rows" | median)" \
    "$(awk '{ printf "%.2f\n", $2 / $1 }' "$work/rows" | median)"
}

flood() {
  local round pid idle flooded
  save_tokens "$work/flood-tokens" 1000
  introspect "$seconds" 1 "$work/flood-tokens" >/dev/null
  for ((round = 1; round <= rounds; round++)); do
    idle=$(introspect "$seconds" 1 "$work/flood-tokens")
    taskset -c 1 /usr/bin/python3 $here/flood.py $url/connect/token "$password_body" 32 $((seconds + 2)) >"$work/flood.$round" &
    pid=$!
    sleep 1
    flooded=$(introspect "$seconds" 1 "$work/flood-tokens")
    echo "$idle $flooded"
    wait $pid
  done >"$work/rows"
  printf '\n| introspection, 1 connection | idle | while 32 connections flood the password grant | ratio |\n| --- | --- | --- | --- |\n'
  printf '| median ms | %s | %s | %s |\n' "$(cut -d' ' -f2 "$work/rows" | median)" "$(cut -d' ' -f5 "$work/rows" | median)" "$(awk '{ printf "%.2f\n", $5 / $2 }' "$work/rows" | median)"
  printf '| 99th percentile ms | %s | %s | %s |\n' "$(cut -d' ' -f3 "$work/rows" | median)" "$(cut -d' ' -f6 "$work/rows" | median)" "$(awk '{ printf "%.2f\n", $6 / $3 }' "$work/rows" | median)"
  printf '\nWhat the flood got in its last round of %s s: %s.\n' "$((seconds + 2))" "$(cat "$work/flood.$rounds")"
}

# Beside the server a second one that measures itself and is read once a second, which is more than Prometheus does.
metrics() {
  local watched_url=http://127.0.0.1:7115 metrics_url=http://127.0.0.1:7116 round kind target
  # shellcheck disable=SC2046 # a command line
  IDP__Issuer=$url IDP__Metrics__Urls=$metrics_url taskset -c 0 $(serve_command $watched_url) >"$work/watched.log" 2>&1 &
  watched=$!
  up $watched_url/health/ready
  while sleep 1; do taskset -c 1 curl -sf -o /dev/null $metrics_url/metrics || true; done &
  reader=$!
  save_tokens "$work/watched-tokens" 1000
  one() { # KIND URL SECONDS
    case $1 in
      token) EXPECT='"access_token"' BODY=$token_body wrk_run "$3" "$connections" "$2/connect/token" -s $here/load.lua ;;
      introspect) EXPECT='"active":true' AUTH=$api_authorization TOKENS=$work/watched-tokens wrk_run "$3" "$connections" "$2/connect/introspect" -s $here/load.lua ;;
    esac
  }
  for kind in token introspect; do for target in $url $watched_url; do one $kind "$target" 20 >/dev/null; done; done
  for ((round = 1; round <= rounds; round++)); do
    for kind in token introspect; do echo "$kind $(one $kind $url "$seconds" | cut -d' ' -f1) $(one $kind $watched_url "$seconds" | cut -d' ' -f1)"; done
  done >"$work/rows"
  kill "$reader" "$watched"
  wait "$reader" "$watched" || true
  watched='' reader=''
  printf '\n| endpoint, %s connections | a second without metrics | with metrics, read once a second | ratio |\n| --- | --- | --- | --- |\n' "$connections"
  for kind in token introspect; do
    printf '| %s | %.0f | %.0f | %s |\n' $kind "$(awk -v k=$kind '$1 == k { print $2 }' "$work/rows" | median)" "$(awk -v k=$kind '$1 == k { print $3 }' "$work/rows" | median)" \
      "$(awk -v k=$kind '$1 == k { printf "%.2f\n", $3 / $2 }' "$work/rows" | median)"
  done
}

first_token() {
  local round
  for ((round = 0; round <= rounds; round++)); do
    # shellcheck disable=SC2046 # a command line
    taskset -c 1 /usr/bin/python3 $here/first-token.py $url/connect/token "$token_body" taskset -c 0 $(serve_command $url)
  done | tail -n "$rounds" >"$work/rows"
  printf '\nFrom process start to the first token, existing database: %s s.\n' "$(median <"$work/rows")"
}

memory() {
  local idle issued=0 rate
  resident() { awk '/^VmRSS/ { printf "%.0f", $2 / 1024 }' "/proc/$server/status"; }
  curl -sf -o /dev/null $url/connect/token -d "$token_body"
  sleep 10
  idle=$(resident)
  while ((issued < 1000000)); do
    rate=$(issue 10)
    issued=$((issued + ${rate%%.*} * 10))
  done
  printf '\nResident memory: %s MiB idle, %s MiB after %s tokens.\n' "$idle" "$(resident)" "$issued"
}

flows() {
  local round mode out rate
  for ((round = 0; round <= rounds; round++)); do
    # Anew for each round: the refresh tokens of the last one are used up.
    python3 $here/sign-in.py $url bench-0 bench-Password-4242 256 >"$work/flows"
    for mode in code refresh; do
      out=$(MODE=$mode SEED="$work/flows" taskset -c 1 wrk -t1 -c64 -d"${seconds}s" --timeout 20s --latency -s $here/flows.lua $url)
      if grep -m1 -E 'REFUSED|Socket errors' <<<"$out" >&2; then echo "refused: $mode" >&2; exit 3; fi
      rate=$(awk -v s="$seconds" '/^flows/ { print $2 / s }' <<<"$out")
      echo "$round $mode $rate $(awk '$1 == "99%" { print $2 }' <<<"$out")"
    done
  done >"$work/rows"
  printf '\n| 64 connections | a second |\n| --- | --- |\n'
  printf '| whole code flow of a signed-in person (authorize, code, tokens with an ES256 ID token) | %.0f |\n' "$(awk '$1 > 0 && $2 == "code" { print $3 }' "$work/rows" | median)"
  printf '| refresh with rotation | %.0f |\n' "$(awk '$1 > 0 && $2 == "refresh" { print $3 }' "$work/rows" | median)"
}

measures() { [[ $parts == *" $1 "* ]]; }
start_floor
start_server
if measures endpoints; then endpoints; fi
if measures library; then restart_server; library; fi
if measures flows; then restart_server; flows; fi
if measures password; then restart_server; password; fi
if measures flood; then restart_server; flood; fi
if measures metrics; then restart_server; metrics; fi
if measures memory; then restart_server; memory; fi
stop_server
if measures start; then first_token; fi
