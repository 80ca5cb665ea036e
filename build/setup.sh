#!/usr/bin/env bash
# setup.sh [test] [bench] [image]: installs what these need: Debian's packages as root (it says what to install, otherwise), npm's
# into the folders that use them.
# No service is left listening and no database cluster is created: tests start their own.
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(curl)
for purpose in "$@"; do
  case $purpose in
    test)
      packages+=(postgresql shellcheck chromium fonts-dejavu-core)
      packages+=(python3-fastapi python3-uvicorn python3-jwt python3-multipart python3-cryptography python3-httpx python3-aiosmtpd)
      # For promtool; its service is not wanted.
      packages+=(prometheus)
      # apache2-bin is the program alone: apache2 would bring a service.
      packages+=(apache2-bin libapache2-mod-auth-openidc)
      packages+=(nginx-light libnginx-mod-http-js)
      # Moves the clock of one process, for tests/faults.
      packages+=(faketime)
      # What checks the files of deploy/ (systemd-analyze, docker-compose config), and what the walk of its README needs.
      packages+=(systemd dbus docker-compose openssl python3-yaml)
      # Node may come from somewhere else than Debian; then its package would only be in the way.
      command -v node >/dev/null || packages+=(nodejs)
      command -v npm >/dev/null || packages+=(npm)
      ;;
    bench) packages+=(wrk util-linux python3) ;;
    image) packages+=(podman runc mmdebstrap) ;;
    *) echo "setup.sh: unknown purpose '$purpose'; known are test, bench, image" >&2; exit 2 ;;
  esac
done

if ! command -v dotnet >/dev/null; then
  echo "The .NET 10 SDK is missing: https://dotnet.microsoft.com/download/dotnet/10.0" >&2
  exit 1
fi

missing=()
for package in "${packages[@]}"; do
  [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
done
npm_packages() {
  [[ " $* " == *' test '* ]] || return 0
  local lock folder
  for lock in "$PWD"/tests/interop/*/package-lock.json "$PWD"/samples/*/package-lock.json; do
    folder=${lock%/*}
    if [[ ! $folder/node_modules/.package-lock.json -nt $lock ]]; then (cd "$folder" && npm ci --silent); fi
  done
}
if ((${#missing[@]} == 0)); then
  npm_packages "$@"
  exit
fi

if ((EUID != 0)); then
  echo "Please install what is missing and run this again: sudo apt-get install --no-install-recommends ${missing[*]}" >&2
  exit 1
fi

apt() { DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 "$@" >>"$log" 2>&1 || { cat "$log" >&2; return 1; }; }
log=$(mktemp)
cluster=/etc/postgresql-common/createcluster.conf
policy=/usr/sbin/policy-rc.d
policy_is_ours=
restore() {
  if [[ -e $cluster.before-setup ]]; then mv "$cluster.before-setup" "$cluster"; fi
  if [[ $policy_is_ours ]]; then rm -f "$policy"; fi
  rm -f "$log"
}
trap restore EXIT

echo "Installing ${missing[*]}"
# 101 = "not allowed": packages must not start the services that they bring.
if [[ ! -e $policy ]]; then
  policy_is_ours=yes
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi
apt update
if [[ " ${missing[*]} " == *' postgresql '* ]]; then
  apt install --no-install-recommends postgresql-common
  cp "$cluster" "$cluster.before-setup"
  echo "create_main_cluster = false" >>"$cluster"
fi
apt install --no-install-recommends "${missing[@]}"
if [[ " ${missing[*]} " == *' prometheus '* ]] && command -v systemctl >/dev/null; then systemctl --quiet disable prometheus; fi
npm_packages "$@"
