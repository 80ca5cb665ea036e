#!/usr/bin/env bash
# error-transcript.sh [--no-build]: provokes every failure that people meet, at the start, at the command line and over HTTP, and writes
# what is said to docs/ERRORS.md. Needs the .NET SDK, curl and python3 (for its sqlite3).
set -euo pipefail
cd "$(dirname "$0")/.."
export DOTNET_NOLOGO=1
if [[ ${1:-} != --no-build ]]; then dotnet build src/IdP -c Release -v q; fi
program=$PWD/src/IdP/bin/Release/net10.0/IdP.dll document=$PWD/docs/ERRORS.md

work=$(mktemp -d) pids=()
cleanup() {
  local pid
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  chmod -R u+rwx "$work"
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM
cd "$work"

free_port() {
  local port
  while :; do
    port=$((20000 + RANDOM % 12000))
    if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then echo "$port"; return; fi
  done
}
port=$(free_port)
url=http://localhost:$port

idp() { dotnet "$program" "$@"; }
# The superuser is above permissions: the program is started without that privilege.
unprivileged=()
if [[ $(id -u) == 0 ]]; then unprivileged=(setpriv --bounding-set=-all); fi

# What differs from run to run and from machine to machine is left out or replaced.
neutral() { sed -E "s#$work/##g; s#localhost:$port#localhost:8080#g; s/sealed with master key [0-9a-f]{16}/sealed with master key 3f2a.../; s/lacks [0-9]+ migration/lacks 1 migration/"; }

section() { printf '\n## %s\n' "$1"; }
case_() { printf '\n### %s\n\n' "$1"; }

# fails TITLE SHOWN-PREFIX ARGUMENT...: a start or command that must fail with one sentence
fails() {
  local title=$1 prefix=$2 code=0 shown argument
  shift 2
  shown=$prefix"IdP"
  for argument in "$@"; do
    if [[ $argument =~ [[:space:]\;\*] || ! $argument ]]; then shown+=" '$argument'"; else shown+=" $argument"; fi
  done
  case_ "$title"
  # The variables of the prefix are for this one start.
  env ${prefix:+"${prefix% }"} IDP__Storage__BusyTimeoutSeconds=1 "${unprivileged[@]}" timeout 60 dotnet "$program" "$@" >out 2>error </dev/null || code=$?
  if [[ -s out || $(wc -l <error) != 1 || $code == 0 || $code -gt 4 ]]; then
    echo "$title: not one sentence and an exit code (it is $code):" >&2
    cat out error >&2
    exit 1
  fi
  { echo '```'; echo "\$ $shown"; cat error; echo "exit code $code"; echo '```'; } | neutral
}

# asks TITLE METHOD PATH [CURL-ARGUMENT...]: one request and its answer
asks() {
  local title=$1 method=$2 path=$3 shown='' argument previous=''
  shift 3
  for argument in "$@"; do
    case $previous in
      -u) shown+=$'\nAuthorization: Basic base64('$argument')' ;;
      -H) shown+=$'\n'$argument ;;
      -d | --data-urlencode) body=${body:+$body&}$argument ;;
    esac
    previous=$argument
  done
  case_ "$title"
  { echo '```'; echo "$method $path HTTP/1.1$shown"; } | neutral
  if [[ ${body:-} ]]; then printf '\n%s\n' "${shown_body:-$body}" | sed -E 's/(token=)[A-Za-z0-9_.-]{30,}/\1.../g'; fi
  body='' shown_body=''
  curl -sS --max-time 20 -X "$method" "$url$path" "$@" -D headers -o answer
  {
    echo
    head -n 1 headers
    { grep -iE '^(www-authenticate|retry-after|allow|cache-control|access-control-[a-z-]*|vary):' headers || true; } | sort
    if [[ -s answer ]]; then echo; cat answer; echo; fi
    echo '```'
  } | tr -d '\r' | neutral
}

hold() { # FILE SQL SECONDS: another process that holds a lock
  python3 - "$@" <<'PYTHON' &
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
for statement in sys.argv[2].split(';'): connection.execute(statement)
open('held', 'w').close()
time.sleep(float(sys.argv[3]))
PYTHON
  holder=$!
  pids+=("$holder")
  until [[ -e held ]]; do sleep 0.05; done
  rm held
}
end() { # PID
  kill -TERM "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
}
release() {
  end "$holder"
  # Whoever closes a database last clears up after the one that was killed.
  sql data/idp.db 'UPDATE ServerState SET ChangeStamp = ChangeStamp'
}
sql() { python3 -c 'import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute(sys.argv[2]); c.commit()' "$@"; }

serve() { # VARIABLE=VALUE...: the server on the folder data, in the background
  env "$@" DOTNET_ENVIRONMENT=Production dotnet "$program" serve --data data --urls "$url" >server.log 2>&1 &
  server=$!
  pids+=("$server")
  for _ in {1..300}; do
    if curl -sf -o /dev/null "$url/health/ready"; then return; fi
    kill -0 "$server" 2>/dev/null || break
    sleep 0.1
  done
  cat server.log >&2
  exit 1
}
stop() { end "$server"; }
token() { # CLIENT:SECRET [CURL-ARGUMENT...]
  local client=$1
  shift
  curl -sS -u "$client" "$url/connect/token" "$@" | sed -nE 's/.*"access_token":"([^"]+)".*/\1/p'
}

transcript() {
  cat <<'MARKDOWN'
# What failures say

Made by `build/error-transcript.sh`, which provokes each of them; what differs from run to run is left out. The tests of
[starts and commands](../tests/IdP.Tests/Commands/) and of [requests](../tests/IdP.Tests/) hold them.

A start or command that fails says one sentence, and its exit code tells the kind: 1 the database, the master key or a setting stands in
the way; 2 the command line is wrong, or asks for what a rule forbids; 3 what it names does not exist; 4 it exists already, or something
else uses it. The data stays as it was.
MARKDOWN

  section "Starting: the database"
  fails "The data folder is missing" "" serve --data missing
  mkdir data
  idp migrate --data data >&2
  idp resource add urn:example:api --data data >&2
  hold data/idp.db 'PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; UPDATE ServerState SET ChangeStamp = ChangeStamp' 60
  fails "Another program holds the database locked" "" serve --data data
  release
  cp -r data read-only && chmod 0400 read-only/idp.db
  fails "The database file is read-only" "" serve --data read-only
  cp -r data read-only-folder && chmod 0500 read-only-folder
  fails "The data folder is read-only" "" serve --data read-only-folder
  cp -r data newer && sql newer/idp.db "INSERT INTO __EFMigrationsHistory VALUES ('20991231235959_Future_After20990101000000', '99')"
  fails "A newer program has taken something away from the database" "" serve --data newer
  mkdir other && echo "something else" >other/idp.db
  fails "The file is no database" "" serve --data other
  mkdir directory directory/idp.db
  fails "A folder is in its place" "" serve --data directory
  mkdir empty
  fails "A command before there is a database" "" client list --data empty
  mkdir older && sql older/idp.db "CREATE TABLE Something (Id INTEGER)"
  fails "The database is of an older program, and a start may not change it" "IDP__Storage__MigrateAtStart=false " serve --data older
  fails "The database server does not answer" "IDP__Storage__Provider=postgres " serve --config postgres.json
  fails "The engine is unknown" "IDP__Storage__Provider=mysql " serve --data empty

  section "Starting: the master key"
  cp -r data no-key && rm no-key/master.key
  fails "The master key is missing while keys are sealed with it" "" serve --data no-key
  cp -r data wrong-key && head -c 32 /dev/urandom | base64 >wrong-key/master.key
  fails "It is another" "" serve --data wrong-key
  cp -r data bad-key && echo "not a key" >bad-key/master.key
  fails "It is malformed" "" serve --data bad-key
  cp -r data secret-key && chmod 0 secret-key/master.key
  fails "It cannot be read" "" serve --data secret-key

  section "Starting: the listener and the issuer"
  python3 -m http.server --bind 127.0.0.1 "$port" >/dev/null 2>&1 &
  local other=$!
  pids+=("$other")
  until curl -s -o /dev/null "$url"; do sleep 0.1; done
  fails "The port is in use" "" serve --data empty --urls "$url"
  end "$other"
  fails "The address is not one" "" serve --data empty --urls localhost:8080
  fails "The address is not this machine's" "" serve --data empty --urls http://192.0.2.1:8080
  fails "https without a certificate" "" serve --data empty --urls https://localhost:8443
  fails "A certificate that cannot be used" "" serve --data empty --urls https://localhost:8443 --tls-cert missing.pem --tls-key missing.pem
  fails "The issuer is not a URL" "" serve --data empty --issuer login.example.com
  fails "The issuer has a path" "" serve --data empty --issuer https://example.com/login
  fails "A demo for other machines" "" serve --demo --data empty --urls 'http://0.0.0.0:8080'

  section "Starting: options and settings"
  fails "An unknown option" "" serve --dmeo
  fails "An unknown command" "" serv
  fails "An unknown setting in the environment" "IDP__Tokens__AccesTokenLifetimeSeconds=60 " serve --data empty
  echo '{ "Tokens": { "AccesTokenLifetimeSeconds": 60 } }' >unknown.json
  fails "An unknown setting in a file" "" serve --data empty --config unknown.json
  echo '{ "Tokens": ' >broken.json
  fails "A file that is not JSON" "" serve --data empty --config broken.json
  fails "Not a number" "IDP__Tokens__AccessTokenLifetimeSeconds=soon " serve --data empty
  fails "A number that is too large" "IDP__Tokens__AccessTokenLifetimeSeconds=86401 " serve --data empty
  fails "A secret's file that is missing" "IDP__Keys__MasterKey_FILE=missing " serve --data empty

  section "Commands"
  fails "An unknown scope" "" client add my-app --grant client_credentials --scope items:read --data data
  fails "An unknown resource" "" scope add items:read --resource urn:nope --data data
  idp scope add items:read --resource urn:example:api --data data >&2
  idp client add my-app --grant client_credentials --scope items:read --secret a-secret-to-be-read --data data >&2
  fails "A client id that is taken" "" client add my-app --data data
  fails "A client that does not exist" "" client disable nobody --data data
  echo a-secret-to-be-read >secret.txt
  fails "A public client with a secret" "" client add app --public --secret-file secret.txt --data data
  fails "An origin that no browser sends" "" client add app --public --origin https://app.example/ --data data
  fails "A user without a password" "" user add alice --data data
  fails "A password that is too short" "" user add alice --password short --data data
  fails "A key that does not exist" "" keys revoke nope --data data

  section "Token requests"
  printf 'alice-Password-42' >password
  idp client add people --grant password --scope "openid items:read" --secret a-secret-to-be-read --data data >&2
  idp client add browser-app --public --grant password --allow-public-password-grant --scope items:read --origin https://app.example --data data >&2
  idp client add api --resource urn:example:api --secret a-secret-to-be-read --data data >&2
  idp client add gone --grant client_credentials --scope items:read --secret a-secret-to-be-read --data data >&2
  idp client disable gone --data data >&2
  idp resource add urn:example:other --data data >&2
  idp scope add other:read --resource urn:example:other --data data >&2
  idp client add two-apis --grant client_credentials --scope "items:read other:read" --secret a-secret-to-be-read --data data >&2
  idp user add alice --password-file password --data data >&2
  idp user add mallory --password-file password --data data >&2
  idp user disable mallory --data data >&2
  serve IDP__Passwords__Iterations=210000
  local app=my-app:a-secret-to-be-read people=people:a-secret-to-be-read cc='grant_type=client_credentials' path=/connect/token
  asks "The wrong method" GET $path
  asks "Parameters in the URL" POST "$path?grant_type=client_credentials" -u $app -d scope=items:read
  asks "Another content type" POST $path -u $app -H 'Content-Type: application/json' -d '{"grant_type":"client_credentials"}'
  asks "A repeated parameter" POST $path -u $app -d $cc -d scope=items:read -d scope=items:read
  asks "Broken UTF-8" POST $path -u $app -d $cc -d 'scope=%ff'
  head -c 70000 /dev/zero | tr '\0' x >large
  shown_body='scope=xxx... (70,000 bytes)'
  asks "A body that is too large" POST $path -u $app -d scope=@large --data-binary @large
  asks "No client authentication" POST $path -d $cc
  asks "A wrong secret" POST $path -u my-app:wrong -d $cc
  asks "An unknown client: the same answer" POST $path -u nobody:wrong -d $cc
  asks "A disabled client: the same answer" POST $path -u gone:a-secret-to-be-read -d $cc
  asks "Two ways of authentication" POST $path -u $app -d $cc -d client_id=my-app -d client_secret=a-secret-to-be-read
  asks "Another client in the body" POST $path -u $app -d $cc -d client_id=people
  asks "No grant_type" POST $path -u $app -d scope=items:read
  asks "An unknown grant_type" POST $path -u $app -d grant_type=implicit
  asks "A grant_type that is not this client's" POST $path -u $people -d $cc
  asks "client_credentials by a public client" POST $path -d $cc -d client_id=browser-app
  asks "A scope that is unknown or not this client's" POST $path -u $app -d $cc -d scope=other:read
  asks "A malformed scope" POST $path -u $app -d $cc -d 'scope=items:read++openid'
  asks "No scope, and the client has no default" POST $path -u $app -d $cc
  asks "An unknown resource" POST $path -u $app -d $cc -d scope=items:read -d resource=urn:nope
  asks "A resource of which the client has no scope" POST $path -u $app -d $cc -d scope=items:read -d resource=urn:example:other
  asks "Scopes of two resources" POST $path -u two-apis:a-secret-to-be-read -d $cc -d 'scope=items:read+other:read'
  asks "Two resources" POST $path -u two-apis:a-secret-to-be-read -d $cc -d scope=items:read -d resource=urn:example:api -d resource=urn:example:other
  asks "No user name" POST $path -u $people -d grant_type=password -d password=x
  asks "A wrong password" POST $path -u $people -d grant_type=password -d username=alice -d password=wrong -d scope=items:read
  asks "An unknown user: the same answer" POST $path -u $people -d grant_type=password -d username=nobody -d password=wrong -d scope=items:read
  asks "A disabled user, even with the right password: the same answer" POST $path -u $people -d grant_type=password -d username=mallory -d password=alice-Password-42 -d scope=items:read
  for _ in 1 2 3 4; do curl -s -o /dev/null -u $people -d grant_type=password -d username=alice -d password=wrong -d scope=items:read "$url$path"; done
  asks "A locked account, even with the right password: the same answer" POST $path -u $people -d grant_type=password -d username=alice -d password=alice-Password-42 -d scope=items:read
  asks "A preflight from an origin that nobody registered: no CORS headers" OPTIONS $path -H 'Origin: https://evil.example' -H 'Access-Control-Request-Method: POST'

  section "Introspection and revocation"
  local good
  good=$(token $app -d $cc -d scope=items:read)
  asks "No client authentication" POST /connect/introspect -d token="$good"
  asks "A public client" POST /connect/introspect -d client_id=browser-app -d token="$good"
  asks "No token" POST /connect/introspect -u api:a-secret-to-be-read -d token=
  asks "Something that is no token" POST /connect/introspect -u api:a-secret-to-be-read -d token=nonsense
  asks "A token for somebody else: the same answer" POST /connect/introspect -u $people -d token="$good"
  asks "Revoking another client's token" POST /connect/revoke -u $people -d token="$good"
  asks "Revoking what is no token: as good as revoked" POST /connect/revoke -u $people -d token=nonsense

  section "Any request"
  asks "An unknown address" GET /connect/nothing
  asks "A Host that is not the server's" GET /.well-known/openid-configuration -H 'Host: evil.example'
  stop
  serve IDP__Storage__BusyTimeoutSeconds=1 IDP__Limits__FailuresPerCaller=2
  hold data/idp.db 'BEGIN IMMEDIATE' 60
  asks "The database cannot be written" POST /connect/revoke -u $app -d token="$good"
  release
  for _ in 1 2; do curl -s -o /dev/null -u my-app:wrong -d $cc "$url$path"; done
  asks "Too many failures from one caller" POST $path -u my-app:wrong -d $cc | sed -E 's/(wait |Retry-After: )[0-9]+/\160/'
  stop
  # One hash thread, no queue, and hashes that take seconds: the second sign-in finds no place.
  serve IDP__Passwords__HashThreads=1 IDP__Passwords__QueuePerThread=0 IDP__Passwords__Iterations=20000000
  curl -s -o /dev/null -u $people -d grant_type=password -d username=nobody -d password=wrong -d scope=items:read "$url$path" &
  sleep 0.5
  asks "Too many sign-ins at once" POST $path -u $people -d grant_type=password -d username=bob -d password=wrong -d scope=items:read
  stop
}

echo '{ "Storage": { "ConnectionString": "Host=127.0.0.1;Port=1;Username=idp;Database=idp" } }' >postgres.json
transcript >ERRORS.md
if grep -nE "$work|/tmp/|/root|/home" ERRORS.md; then echo "A path of this machine is in it." >&2; exit 1; fi
cp ERRORS.md "$document"
echo "docs/ERRORS.md: $(grep -c '^### ' ERRORS.md) failures"
