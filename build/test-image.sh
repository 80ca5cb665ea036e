#!/usr/bin/env bash
# test-image.sh: the image IMAGE [idp] as an operator runs it: read-only root, no capabilities, one volume. Adds a client by the
# program's own commands, gets a token, restarts it, finds keys and client again, and expects a clean end on SIGTERM. Prints what it
# weighs, how much memory it takes and how long a start lasts.
set -euo pipefail
cd "$(dirname "$0")/.."
image=${IMAGE:-idp} name=idp-test-$$
podman() { build/podman.sh "$@"; }
work=$(mktemp -d)
trap 'podman rm -f -t 2 "$name" >/dev/null 2>&1 || true; podman volume rm -f "$name" >/dev/null 2>&1 || true; rm -rf "$work"' EXIT

fail() { echo "FAILED: $1"; podman logs "$name" 2>&1 | tail -n 30; exit 1; }
port=$((20000 + RANDOM % 12000))
url=http://127.0.0.1:$port
# How every container is started here. The host's network, because the place this runs in may not let podman make one; elsewhere
# `-p 8080:8080` does.
closed=(--network=host --read-only --cap-drop=all --security-opt=no-new-privileges --ulimit nofile=1024:1024 --ulimit nproc=1024:1024)

podman run -d --name "$name" "${closed[@]}" -v "$name:/data" -e IDP__Issuer="$url" -e IDP__Urls="$url" "$image" >/dev/null 2>&1 ||
  fail "the container does not start"
ready() {
  for _ in {1..1500}; do curl -sf -o /dev/null "$url/health/ready" && return; sleep 0.02; done
  fail "no answer at $url/health/ready"
}
idp() { podman exec "$name" IdP "$@" >/dev/null || fail "IdP $1 $2"; }
token() {
  curl -sf "$url/connect/token" -u "job:a-secret-of-this-test" -d grant_type=client_credentials -d scope=things:read |
    grep -q '"access_token"' || fail "no token $1"
}

ready
[[ $(podman exec "$name" id -u) == 10001 && $(podman exec "$name" id -un) == idp ]] || fail "it does not run as user idp (10001)"
for place in / /opt/idp /etc; do
  if podman exec "$name" touch "${place%/}/written" 2>/dev/null; then fail "$place can be written"; fi
done
process=$(podman inspect -f '{{.State.Pid}}' "$name")
[[ $(sed -n 's/^CapEff:\t//p; s/^CapBnd:\t//p' "/proc/$process/status" | tr -d '0\n') == "" ]] || fail "it has capabilities"
grep -q $'^NoNewPrivs:\t1' "/proc/$process/status" || fail "it may gain privileges"
[[ $(podman image inspect -f '{{len .Config.Volumes}}' "$image") == 1 ]] || fail "the image has other volumes than /data"
echo "started as idp with a read-only root and no capabilities, and created its database on the volume"
podman healthcheck run "$name" >/dev/null || fail "its HEALTHCHECK says no"

# What is above the base: its layers, and the packages where the base did not have them. 180 MB is the promise.
base=$(podman image inspect -f '{{index .Config.Labels "idp.base"}}' "$image")
size() { podman image inspect -f '{{.Size}}' "$1"; }
above=$((($(size "$image") - $(size "$base")) / 1000000))
((above < 180)) || fail "the contents above the base are $above MB, and 180 is the limit"
echo "contents above the base ($base): $above MB"

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

began=$(date +%s%N)
podman start "$name" >/dev/null 2>&1
ready
token "after the restart"
took=$((($(date +%s%N) - began) / 1000000))
[[ $(curl -sf "$url/.well-known/jwks.json") == "$keys" ]] || fail "other keys after the restart"
process=$(podman inspect -f '{{.State.Pid}}' "$name")
memory() { awk -v what="$1:" '$1 == what { printf "%d", $2 / 1024 }' "/proc/$process/status"; }
echo "restarted: the same client, the same keys; $took ms from 'podman start' to the first token"
for _ in {1..200}; do token "again and again"; done
echo "memory after 200 tokens: $(memory VmRSS) MiB resident, of it $(memory RssAnon) MiB its own and $(memory RssFile) MiB mapped files"

# Ctrl-C in a terminal.
podman kill -s INT "$name" >/dev/null
code=$(timeout 30 build/podman.sh wait "$name") || fail "SIGINT does not end it"
[[ $code == 0 ]] || fail "SIGINT ended it with exit code $code"
echo "SIGINT ended it cleanly"

# Secrets as the compose files mount them: config check finds them safe, and what everybody may read unsafe.
install -m 0440 -o 0 -g 10001 <(openssl rand -base64 32) "$work/master.key" 2>/dev/null || { openssl rand -base64 32 >"$work/master.key"; chown 0:10001 "$work/master.key"; chmod 0440 "$work/master.key"; }
config_check() {
  podman run --rm "${closed[@]}" -v "$work/master.key:/run/secrets/master.key:ro" -e IDP__Keys__MasterKeyFile=/run/secrets/master.key \
    -e IDP__Issuer=https://id.example.com "$image" config check
}
config_check >"$work/out" 2>&1 || { cat "$work/out"; fail "config check finds a secret of mode 0440 unsafe"; }
chmod 0444 "$work/master.key"
if config_check >"$work/out" 2>&1; then fail "config check finds a secret safe that everybody may read"; fi
grep -q 'master.key' "$work/out" || { cat "$work/out"; fail "config check does not name the secret that everybody may read"; }
echo "a secret of mode 0440 is safe to config check, one of mode 0444 is not"
