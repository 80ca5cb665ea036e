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
shorten() { sed -E 's/(eyJ[A-Za-z0-9_-]{12})[A-Za-z0-9_.-]{20,}/\1.../g; s/(idp_[A-Za-z0-9]{12}_)[A-Za-z0-9]{49}/\1.../g; s/((code|state|nonce|code_challenge|continue|form_token|shown)=)[A-Za-z0-9_-]{20,}/\1.../g'; }

# call TITLE STATUS METHOD URL [CURL-ARGUMENT...]: one request, shown with its answer; the status must be the expected one.
call() {
  local title=$1 expected=$2 method=$3 url=$4 status argument shown=
  shift 4
  for argument in "$@"; do
    case $argument in
      -u | -H | -d | -b | -c | --data-urlencode) ;;
      "$work"/*) ;;
      Authorization:* | Content-Type:*) shown+=$'\n     '$argument ;;
      "$key_id":*) shown+=$'\n     Authorization: Basic ('$key_id' and the secret of the key)' ;;
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
    # Of a page its title.
    if grep -q '^<!DOCTYPE html>' "$work/body"; then sed -nE 's/.*(<title>.*<\/title>).*/\1/p' "$work/body"; else cat "$work/body"; fi | shorten | sed -E 's/^(.{320}).+/\1 .../; s/^/      /'
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
# Commands work beside the running server: the old API's shared secret, and an API key for alice.
command_json() { dotnet src/IdP/bin/Release/net10.0/IdP.dll "$@" --data "$work/data" --json; }
json_text() { sed -nE "s/.*\"$1\" *: *\"([^\"]+)\".*/\1/p" | head -n 1; }
secret=$(command_json resource secret urn:demo:legacy | json_text secret)
key=$(command_json api-key add --user alice --resource urn:demo:api --scope items:read --scope items:write --name "the demo" | json_text key)
key_id=${key#idp_} key_id=${key_id%%_*}
start resource-api "$api/health/live" dotnet src/ResourceApi/bin/Release/net10.0/ResourceApi.dll --urls "$api" --Provider:Issuer "$idp" --Provider:SharedSecret "$secret"

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

call "[HS256] A token for the old API, signed with the secret that it shares" 200 POST "$idp/connect/token" \
  -u demo-service:demo-service-secret -d grant_type=client_credentials -d scope=legacy:read
call "[HS256] The old API checks it with that secret" 200 GET "$api/shared-secret/hello" -H "Authorization: Bearer $(access_token)"

call "[API key] In a header" 200 GET "$api/key-header/items" -H "X-API-Key: $key"
call "[API key] In the query" 200 GET "$api/key-query/items?api_key=$key"
call "[API key] In a cookie" 200 GET "$api/key-cookie/items" -H "Cookie: api_key=$key"
call "[API key] By HTTP Basic: key id and secret" 200 GET "$api/basic/items" -u "$key_id:${key##*_}"
call "[API key] Two credentials: nobody could say which counts" 400 GET "$api/any/items" -H "X-API-Key: $key" -H "Authorization: Bearer $reader"
call "[API key] In a cookie, to change something, without the header that other sites cannot send" 403 POST "$api/key-cookie/items" \
  -H "Cookie: api_key=$key" -H "Content-Type: application/json" -d '{"name":"from elsewhere"}'
command_json api-key revoke "$key_id" >/dev/null
call "[API key] Revoked: refused at once" 401 GET "$api/key-header/items" -H "X-API-Key: $key"

person() { # NAME PASSWORD: a token of a person's program
  call "$1 gets a token" 200 POST "$idp/connect/token" -u demo-password:demo-password-secret -d grant_type=password -d username="$1" -d password="$2" --data-urlencode "scope=items:read items:write"
}
person alice alice-Wonderland-42
says '"access_token"'
alice=$(access_token)
person bob bob-Builder-4242
bob=$(access_token)
call "[role] Alice is a manager" 200 GET "$api/policies/role" -H "Authorization: Bearer $alice"
says '"manager"'
call "[role] Bob is an auditor" 200 GET "$api/policies/either" -H "Authorization: Bearer $bob"
says '"auditor"'
call "[permission] Bob may not delete, although his program may write" 403 DELETE "$api/policies/items/1" -H "Authorization: Bearer $bob"
challenges 'insufficient_scope'
call "[permission] Alice may" 204 DELETE "$api/policies/items/1" -H "Authorization: Bearer $alice"

# A browser's session: the API sends the person to the provider, whose form is filled in here, and keeps the tokens to itself.
jar=$work/cookies
location() { grep -i '^location:' "$work/headers" | tr -d '\r' | sed 's/^[^ ]* //'; }
absolute() { case $1 in /*) echo "$idp$1" ;; *) echo "$1" ;; esac; }
form_field() { sed -nE "s/.*name=\"$1\"[^>]*value=\"([^\"]*)\".*/\1/p" "$work/body" | head -n 1; }
call "[session] Without one" 401 GET "$api/site/items"
call "[session] Sign in" 302 GET "$api/session/sign-in?return_to=/site/items" -b "$jar" -c "$jar"
call "[session] ... at the provider" 303 GET "$(location)" -b "$jar" -c "$jar"
call "[session] ... on its page" 200 GET "$(absolute "$(location)")" -b "$jar" -c "$jar"
call "[session] Alice's password goes to the provider alone" 303 POST "$idp/sign-in" -b "$jar" -c "$jar" --data-urlencode "continue=$(form_field continue)" \
  --data-urlencode "form_token=$(form_field form_token)" -d username=alice -d password=alice-Wonderland-42
call "[session] ... which asks what the API may have" 303 GET "$(absolute "$(location)")" -b "$jar" -c "$jar"
call "[session] ... on its page" 200 GET "$(absolute "$(location)")" -b "$jar" -c "$jar"
call "[session] She agrees" 303 POST "$idp/consent" -b "$jar" -c "$jar" --data-urlencode "continue=$(form_field continue)" --data-urlencode "form_token=$(form_field form_token)" \
  -d "session=$(form_field session)" -d "shown=$(form_field shown)"
call "[session] ... and a code goes to the API" 303 GET "$(absolute "$(location)")" -b "$jar" -c "$jar"
call "[session] ... which redeems it and sets a cookie" 302 GET "$(location)" -b "$jar" -c "$jar"
call "[session] The cookie is enough to read" 200 GET "$api/site/items" -b "$jar"
call "[session] To change something a page sends a header too" 201 POST "$api/site/items" -b "$jar" -H "X-CSRF: 1" -H "Content-Type: application/json" -d '{"name":"from the site"}'
call "[session] Another site cannot" 403 POST "$api/site/items" -b "$jar" -H "Content-Type: application/json" -d '{"name":"from elsewhere"}'

echo
stop resource-api "${pids[1]}"
stop provider "${pids[0]}"
pids=()
if ((wrong)); then
  echo "$wrong of the demo's answers were wrong"
  exit 1
fi
echo "All $step answers were right."
