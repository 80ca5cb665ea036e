#!/usr/bin/env bash
# demo.sh [--no-build]: both programs on free loopback ports, a token by each grant, the resource API called in every way.
# Every answer is checked; exit 0 only if all were right. Needs the .NET SDK and curl, nothing else.
set -euo pipefail
cd "$(dirname "$0")/.."
export DOTNET_NOLOGO=1

work=$(mktemp -d) pids=() wrong=0 step=0
cleanup() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 12000))
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then echo "$port"; return; fi
  done
}

start() { # NAME HEALTH-URL COMMAND...
  local name=$1 health=$2
  shift 2
  "$@" >"$work/$name.log" 2>&1 &
  pids+=($!)
  for _ in {1..300}; do
    if curl -sf -o /dev/null "$health"; then echo "$name: $health answers"; return; fi
    kill -0 "${pids[-1]}" 2>/dev/null || break
    sleep 0.1
  done
  echo "$name did not start:" >&2
  tail -n 30 "$work/$name.log" >&2
  exit 1
}

stop() { # NAME PID: asks it to end and expects a clean end
  kill -TERM "$2"
  if wait "$2"; then echo "$1 stopped"; else bad "$1 ended with exit code $?"; fi
}

bad() { echo "   WRONG: $1"; wrong=$((wrong + 1)); }

# Tokens and secrets are shown shortened.
shorten() { sed -E 's/(eyJ[A-Za-z0-9_-]{12})[A-Za-z0-9_.-]{20,}/\1.../g'; }

# call TITLE STATUS METHOD URL [CURL-ARGUMENT...]: one request, shown with its answer; the status must be the expected one.
call() {
  local title=$1 expected=$2 method=$3 url=$4 status argument shown=
  shift 4
  for argument in "$@"; do
    case $argument in
      -u | -H | -d | --data-urlencode) ;;
      Authorization:* | Content-Type:*) shown+=$'\n     '$argument ;;
      *:*-secret) shown+=$'\n     Authorization: Basic ('${argument%%:*}' and its secret)' ;;
      *) shown+=$'\n     '$argument ;;
    esac
  done
  step=$((step + 1))
  printf '\n%2d %s\n   %s %s%s\n' "$step" "$title" "$method" "$url" "$shown" | shorten
  status=$(curl -sS --max-time 20 -X "$method" "$url" "$@" -o "$work/body" -D "$work/headers" -w '%{http_code}')
  {
    echo "   -> $status"
    grep -i '^www-authenticate:' "$work/headers" | tr -d '\r' | sed 's/^/      /' || true
    shorten <"$work/body" | sed -E 's/^(.{320}).+/\1 .../; s/^/      /'
    echo
  } | sed '/^ *$/d'
  if [[ $status != "$expected" ]]; then bad "expected $expected"; fi
}
says() { grep -qF -- "$1" "$work/body" || bad "the answer lacks $1"; }
challenges() { grep -i '^www-authenticate:' "$work/headers" | grep -qF -- "$1" || bad "the challenge lacks $1"; }
plain_challenge() { if grep -i '^www-authenticate:' "$work/headers" | grep -q 'error='; then bad "a request without a token is told an error"; fi; }
access_token() { sed -nE 's/.*"access_token" *: *"([^"]+)".*/\1/p' "$work/body"; }

if [[ ${1:-} != --no-build ]]; then
  echo "Building"
  dotnet build build/src.slnf -c Release -v q "-clp:ErrorsOnly;NoSummary"
fi

idp=http://localhost:$(free_port) api=http://localhost:$(free_port)
start provider "$idp/health/ready" dotnet src/IdP/bin/Release/net10.0/IdP.dll serve --demo --demo-api-url "$api" --data "$work/data" --urls "$idp"
start resource-api "$api/health/live" dotnet src/ResourceApi/bin/Release/net10.0/ResourceApi.dll --urls "$api" --Provider:Issuer "$idp"

call "The provider describes itself" 200 GET "$idp/.well-known/openid-configuration"
says "\"issuer\":\"$idp\""

call "A service gets a token with one scope (client_credentials)" 200 POST "$idp/connect/token" \
  -u demo-service:demo-service-secret -d grant_type=client_credentials --data-urlencode "scope=items:read"
reader=$(access_token)
call "... and one with two scopes" 200 POST "$idp/connect/token" \
  -u demo-service:demo-service-secret -d grant_type=client_credentials --data-urlencode "scope=items:read items:write"
writer=$(access_token)
call "... but not a scope that it was not given" 400 POST "$idp/connect/token" \
  -u demo-service:demo-service-secret -d grant_type=client_credentials -d scope=admin
says '"invalid_scope"'
call "... nor anything with a wrong secret" 401 POST "$idp/connect/token" \
  -u demo-service:not-the-secret -d grant_type=client_credentials
says '"invalid_client"'
call "Alice's program gets a token with her password (password grant)" 200 POST "$idp/connect/token" \
  -u demo-password:demo-password-secret -d grant_type=password -d username=alice -d password=alice-Wonderland-42 \
  --data-urlencode "scope=openid items:read items:write"
alice=$(access_token)
call "... but not with a wrong one" 400 POST "$idp/connect/token" \
  -u demo-password:demo-password-secret -d grant_type=password -d username=alice -d password=wrong
says '"invalid_grant"'

if [[ ! $reader || ! $writer || ! $alice ]]; then
  echo "Without its tokens the demo cannot go on."
  exit 1
fi

# Another first character of the signature: the last one has bits that do not count.
signature=${writer##*.}
if [[ $signature == A* ]]; then tampered=${writer%.*}.B${signature:1}; else tampered=${writer%.*}.A${signature:1}; fi

for mode in local introspected; do
  call "[$mode] Items are listed for items:read" 200 GET "$api/$mode/items" -H "Authorization: Bearer $reader"
  call "[$mode] An item is created with items:write" 201 POST "$api/$mode/items" \
    -H "Authorization: Bearer $writer" -H "Content-Type: application/json" -d '{"name":"a new item"}'
  call "[$mode] The wrong scope" 403 POST "$api/$mode/items" \
    -H "Authorization: Bearer $reader" -H "Content-Type: application/json" -d '{"name":"not allowed"}'
  challenges 'error="insufficient_scope"'
  challenges 'scope="items:write"'
  call "[$mode] No token" 401 GET "$api/$mode/items"
  challenges Bearer
  plain_challenge
  call "[$mode] A tampered token" 401 GET "$api/$mode/items" -H "Authorization: Bearer $tampered"
  challenges 'error="invalid_token"'
  call "[$mode] Alice's token" 200 GET "$api/$mode/items" -H "Authorization: Bearer $alice"
done

call "Alice's token is revoked" 200 POST "$idp/connect/revoke" -u demo-password:demo-password-secret -d token="$alice"
call "The provider says so" 200 POST "$idp/connect/introspect" -u demo-api:demo-api-secret -d token="$alice"
says '"active":false'
call "[introspected] The revoked token: refused at once" 401 GET "$api/introspected/items" -H "Authorization: Bearer $alice"
challenges 'error="invalid_token"'
call "[local] The revoked token: still accepted" 200 GET "$api/local/items" -H "Authorization: Bearer $alice"
echo "   This is the trade: local validation asks nobody, so a revoked token works until it expires; introspection knows at once."

echo
stop resource-api "${pids[1]}"
stop provider "${pids[0]}"
pids=()
if ((wrong)); then
  echo "$wrong of the demo's answers were wrong"
  exit 1
fi
echo "All $step answers were right."
