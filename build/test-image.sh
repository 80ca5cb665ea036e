#!/usr/bin/env bash
# test-image.sh: the image IMAGE [idp] as an operator runs it: read-only root, no capabilities, one volume. Adds a client by the
# program's own commands, gets a token, restarts it, finds keys and client again, and expects a clean end on SIGTERM.
set -euo pipefail
cd "$(dirname "$0")/.."
image=${IMAGE:-idp} name=idp-test-$$
podman() { build/podman.sh "$@"; }
trap 'podman rm -f -t 2 "$name" >/dev/null 2>&1 || true; podman volume rm -f "$name" >/dev/null 2>&1 || true' EXIT

fail() { echo "FAILED: $1"; podman logs "$name" 2>&1 | tail -n 30; exit 1; }
port=$((20000 + RANDOM % 12000))
url=http://127.0.0.1:$port

# The host's network, because the place this runs in may not let podman make one; elsewhere `-p 8080:8080` does.
podman run -d --name "$name" --network=host --read-only --cap-drop=all --security-opt=no-new-privileges \
  --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 -v "$name:/data" -e IDP__Issuer="$url" -e IDP__Urls="$url" "$image" >/dev/null 2>&1 ||
  fail "the container does not start"
ready() {
  for _ in {1..100}; do curl -sf -o /dev/null "$url/health/ready" && return; sleep 0.1; done
  fail "no answer at $url/health/ready"
}
idp() { podman exec "$name" IdP "$@" >/dev/null || fail "IdP $1 $2"; }
token() {
  curl -sf "$url/connect/token" -u "job:a-secret-of-this-test" -d grant_type=client_credentials -d scope=things:read |
    grep -q '"access_token"' || fail "no token $1"
}

ready
echo "started, and created its database on the volume as $(podman exec "$name" id -un)"
podman healthcheck run "$name" >/dev/null || fail "its HEALTHCHECK says no"
idp resource add urn:test:things
idp scope add things:read --resource urn:test:things
idp client add job --secret a-secret-of-this-test --grant client_credentials --scope things:read
token "at first"
keys=$(curl -sf "$url/.well-known/jwks.json")
echo "a client added by command gets a token"

podman stop -t 20 "$name" >/dev/null 2>&1
code=$(podman inspect -f '{{.State.ExitCode}}' "$name")
[[ $code == 0 ]] || fail "SIGTERM ended it with exit code $code"
echo "SIGTERM ended it cleanly"

podman start "$name" >/dev/null 2>&1
ready
token "after the restart"
[[ $(curl -sf "$url/.well-known/jwks.json") == "$keys" ]] || fail "other keys after the restart"
echo "restarted: the same client, the same keys"
