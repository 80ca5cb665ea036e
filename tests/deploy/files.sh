#!/usr/bin/env bash
# files.sh: what can be checked of deploy/ without running it: syntax, and that what one file says of another is true.
# Functions are called by name (check, where), which shellcheck does not see.
# shellcheck disable=SC2317
set -euo pipefail
cd "$(dirname "$0")/../.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
wrong=0
check() { # WHAT COMMAND...
  local what=$1
  shift
  if "$@" >"$work/out" 2>&1; then echo "ok      $what"; else
    echo "WRONG   $what"
    sed 's/^/        /' "$work/out"
    wrong=1
  fi
}
# where WHAT PROGRAM COMMAND...: a check that needs a program which not every machine has.
where() {
  if command -v "$2" >/dev/null; then check "$1" "${@:3}"; else echo "not run $1: $2 is not installed"; fi
}

# --- systemd: the program is elsewhere here, and templates are verified by an instance ---
units() {
  local unit kind
  for unit in idp idp@ idp-backup-postgres idp-backup-sqlite; do sed 's#/opt/idp/IdP#/bin/true#' "deploy/systemd/$unit.service" >"$work/${unit/@/@8081}.service"; done
  systemd-analyze verify "$work/idp.service" "$work/idp@8081.service"
  # Either is installed as idp-backup.service, which the timer starts.
  cp deploy/systemd/idp-backup.timer "$work"
  for kind in postgres sqlite; do
    cp "$work/idp-backup-$kind.service" "$work/idp-backup.service"
    systemd-analyze verify "$work/idp-backup.service" "$work/idp-backup.timer"
  done
}
exposure() {
  local unit
  for unit in idp.service idp@8081.service idp-backup-postgres.service idp-backup-sqlite.service; do
    # 2.0 of 10: .NET needs writable code, the program its network.
    systemd-analyze security --offline=true --threshold=20 "$work/$unit"
  done
}
where "systemd units" systemd-analyze units
where "exposure of the units (systemd-analyze security, at most 2.0)" systemd-analyze exposure

# --- nginx and Apache, with a certificate of their own ---
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 2 -subj /CN=id.example.com -keyout "$work/privkey.pem" -out "$work/fullchain.pem" 2>/dev/null
nginx_file() {
  mkdir -p "$work/nginx"
  sed -e "s#/etc/idp/tls/#$work/#; s#/run/secrets/#$work/#; s#/var/log/nginx/idp.log#$work/nginx.log#; s#node[12]:8080#127.0.0.1:8080#" "deploy/nginx/$1" >"$work/nginx/conf"
  printf 'pid %s/nginx/pid;\nevents {}\nhttp {\n  include conf;\n}\n' "$work" >"$work/nginx/nginx.conf"
  nginx -t -p "$work/nginx/" -c nginx.conf -e "$work/nginx/error.log"
}
PATH=$PATH:/usr/sbin:/sbin
for file in deploy/nginx/*.conf; do where "$file" nginx nginx_file "${file##*/}"; done
# What makes the file of compose, which is not reached on port 80, out of that for several nodes.
compose_nginx() {
  diff <(tail -n +2 deploy/nginx/idp-compose.conf) <(tail -n +2 deploy/nginx/idp-nodes.conf |
    sed -e '/^# Port 80:/,/^}/d' -e 's#127.0.0.1:8081#node1:8080#; s#127.0.0.1:8082#node2:8080#; s#/etc/idp/tls/#/run/secrets/#; s#/var/log/nginx/idp.log#/dev/stdout#' | cat -s)
}
check "nginx of compose is that for several nodes" compose_nginx
apache_file() {
  local modules=/usr/lib/apache2/modules module
  {
    echo "ServerRoot $work"
    echo "ServerName id.example.com"
    echo "ErrorLog $work/error.log"
    echo "Listen 127.0.0.1:443"
    for module in mpm_event authn_core authz_core alias ssl socache_shmcb headers proxy proxy_http; do
      if [[ -e $modules/mod_$module.so ]]; then echo "LoadModule ${module}_module $modules/mod_$module.so"; fi
    done
    sed -e "s#/etc/idp/tls/#$work/#; s#/var/log/apache2/#$work/#" deploy/apache/idp.conf
  } >"$work/httpd.conf"
  apache2 -f "$work/httpd.conf" -t
}
where "deploy/apache/idp.conf" apache2 apache_file

# --- Prometheus ---
prometheus_files() { promtool check config deploy/prometheus/prometheus.yml && promtool check rules deploy/prometheus/alerts.yml deploy/prometheus/recording.yml; }
if [[ -d deploy/prometheus ]]; then where "deploy/prometheus" promtool prometheus_files; fi
for file in deploy/grafana/*.json; do [[ ! -e $file ]] || check "$file" python3 -m json.tool "$file"; done

# --- compose and Kubernetes ---
export IDP_ISSUER=https://id.example.com ACCEPT_EULA=Y
for file in deploy/compose.*.yaml; do where "$file" docker-compose docker-compose -f "$file" config --quiet; done
secrets() {
  FOLDER=$work/secrets deploy/compose.secrets.sh
  local file
  for file in "$work"/secrets/*; do
    [[ $(stat -c '%a %g' "$file") == '440 10001' ]] || { echo "$file is $(stat -c '%a %g' "$file")"; return 1; }
  done
  # A second run leaves them as they are.
  local before
  before=$(cat "$work"/secrets/* | sha256sum)
  FOLDER=$work/secrets deploy/compose.secrets.sh
  [[ $(cat "$work"/secrets/* | sha256sum) == "$before" ]]
}
if ((EUID == 0)); then check "deploy/compose.secrets.sh" secrets; else echo "not run deploy/compose.secrets.sh: it gives files to another group, which needs root"; fi
check "references in compose files and Kubernetes manifests" /usr/bin/python3 tests/deploy/references.py
kubectl=$(command -v kubectl || echo /usr/lib/google-cloud-sdk/bin/kubectl)
for overlay in deploy/kubernetes/overlays/*; do
  if [[ -x $kubectl ]]; then
    check "kubectl kustomize $overlay" "$kubectl" kustomize "$overlay"
    "$kubectl" kustomize "$overlay" >"$work/all.yaml" 2>/dev/null && check "what it makes of ${overlay##*/}" /usr/bin/python3 tests/deploy/references.py "$work/all.yaml"
  else
    echo "not run kubectl kustomize $overlay: kubectl is not installed"
  fi
done

# --- documents ---
documented() {
  local file
  for file in $(git ls-files 'deploy/*' -co --exclude-standard | grep -vE '/(README.md|base|overlays)|secrets/|Containerfile'); do
    grep -qF -e "${file##*/}" -e "$(dirname "${file#deploy/}")/" deploy/README.md || { echo "deploy/README.md does not mention $file"; return 1; }
  done
  # Links to places that are there.
  local from link
  for from in deploy/README.md docs/OPERATIONS.md; do
    grep -oE '\]\([^)#]+' "$from" | cut -c3- | grep -v '^https\?:' | while read -r link; do
      [[ -e $(dirname "$from")/$link ]] || { echo "$from links to $link, which is not there"; exit 1; }
    done || return 1
  done
}
check "every file is in the README, every link leads somewhere" documented
blocks() { # every block marked sh or shell is shell
  local file
  for file in deploy/README.md docs/OPERATIONS.md; do awk '/^```(sh|shell)$/ { on = 1; next } /^```/ { on = 0 } on' "$file" | bash -n; done
}
check "commands of the documents are shell" blocks
exit $wrong
