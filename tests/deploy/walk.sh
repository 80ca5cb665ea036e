#!/usr/bin/env bash
# walk.sh [CHAPTER...]: an operator's walk. Runs every block marked `sh` of deploy/README.md and docs/OPERATIONS.md, in order, with the published
# program, Debian's PostgreSQL, nginx, Apache and Prometheus, and a real systemd, each chapter on a throw-away machine (machine.sh).
# Chapters: nodes (with docs/OPERATIONS.md), lost (a new machine, from what nodes has kept elsewhere), one (SQLite).
# Logs: artifacts/deploy-walk/CHAPTER/log. Where no such machine can be had the last line says NOT RUN.
# Functions are called by name (chapter_...), which shellcheck does not see.
# shellcheck disable=SC2317
set -euo pipefail
cd "$(dirname "$0")/../.."
chapters=("$@")
[[ ${#chapters[@]} -gt 0 ]] || chapters=(nodes lost one)
readme=deploy/README.md operations=docs/OPERATIONS.md
safe=$PWD/artifacts/deploy-walk/nodes/safe

# blocks FILE [HEADING [EXCEPT...]]: the blocks of the file, or of the part under that heading, as a script that says where each is from; of the
# whole file without the chapters EXCEPT.
blocks() {
  local file=$1 heading=${2:-} IFS='|'
  awk -v file="$file" -v heading="$heading" -v except="|${*:3}|" '
    NR == 1 { inside = heading == "" }
    /^##+ / {
      text = $0; sub(/^#+ /, "", text); depth = length($1)
      if (heading == "") { if (depth == 2) inside = !index(except, "|" text "|") }
      else if (text == heading) { inside = 1; top = depth }
      else if (depth <= top) inside = 0
    }
    /^```sh$/ && inside { on = 1; printf "\nstep %s:%d\n", file, NR; next }
    /^```/ && on { on = 0; next }
    on { print }
  ' "$file"
}
# before|after START LINE: of standard input, with a line of the walk's own at the first one that begins so, which must be there.
put() {
  awk -v place="$1" -v start="$2" -v line="$3" '
    index($0, start) == 1 && !done { done = 1; print place == "before" ? line "\n" $0 : $0 "\n" line; next }
    { print }
    END { if (!done) { print "walk.sh: no line begins with " start >"/dev/stderr"; exit 1 } }
  '
}
before() { put before "$@"; }
after() { put after "$@"; }

script() {
  cat <<'END'
#!/usr/bin/env bash
set -Eeuo pipefail
where=preparation
step() { where=$1; echo; echo "--- $1 ($SECONDS s)"; }
failed() {
  echo "FAILED at $where: $BASH_COMMAND"
  journalctl --no-pager --lines 60 --unit 'idp*' --unit nginx --unit 'postgresql*' --unit prometheus 2>/dev/null | tail -n 60 || true
}
trap failed ERR
export LANG=C.UTF-8
# As a fresh Debian is after the packages were installed.
if [[ -e /var/lib/postgresql/15/main || -e /etc/postgresql/15/main ]]; then pg_dropcluster --stop 15 main; fi
version=$(find /usr/lib/postgresql -maxdepth 1 -name '[0-9]*' -printf '%f\n' | sort -n | tail -n 1)
pg_createcluster "$version" main >/dev/null
rm -rf /etc/idp /var/lib/idp /opt/idp* /etc/nginx/conf.d/*

# --- the walk's own: what others do meanwhile (certbot, a newer version, whoever keeps things elsewhere), and what only a test looks at ---
# What certbot needs: a file that it puts into the folder of Debian's page is served on port 80 under the issuer's name.
challenge() {
  local folder=/var/www/html/.well-known/acme-challenge
  install -d "$folder"
  echo "$RANDOM" >"$folder/trial"
  curl -sS --fail --connect-to id.example.com:80:127.0.0.1:80 http://id.example.com/.well-known/acme-challenge/trial | diff - "$folder/trial"
  echo "what certbot puts into $folder is served"
}
# And what it does when it has renewed: a folder of links, and the hook.
renew() {
  local archive=/etc/letsencrypt/archive live=/etc/letsencrypt/live/id.example.com expected
  install -d "$archive" "$live"
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -subj "/CN=id.example.com" -keyout "$archive/privkey.pem" -out /run/request.pem 2>/dev/null
  openssl x509 -req -in /run/request.pem -CA /etc/idp/tls/ca.pem -CAkey /etc/idp/tls/ca.key -CAcreateserial -days 90 \
    -extfile <(echo "subjectAltName=DNS:id.example.com") -out "$archive/cert.pem" 2>/dev/null
  cp /etc/idp/tls/ca.pem "$archive/chain.pem"
  cat "$archive/cert.pem" "$archive/chain.pem" >"$archive/fullchain.pem"
  ln -sf "$archive"/*.pem "$live"
  RENEWED_LINEAGE=$live deploy/systemd/idp-certificate
  expected=$(openssl x509 -in "$live/cert.pem" -noout -serial)
  for _ in $(seq 150); do
    if [[ $(openssl s_client -connect 127.0.0.1:443 -servername id.example.com </dev/null 2>/dev/null | openssl x509 -noout -serial 2>/dev/null) == "$expected" ]]; then
      echo "the renewed certificate is served"
      return
    fi
    sleep 0.2
  done
  echo "the renewed certificate is not served"
  return 1
}
# `idp` reads a file of settings as systemd does.
settings() {
  cat >/run/trial.env <<'ENV'
# IDP__A=no
; IDP__B=no
IDP__C=10.0.0.1 10.0.0.2
IDP__D=Example <no-reply@example.com>
  IDP__E = "an $IDP__C, \"so\" \\ `id` \w"
IDP__F='an $IDP__C, "so" \ '
IDP__G=a$IDP__C#b ; $(id) \\ \d
IDP__H=
ENV
  printf 'IDP__I=the end' >>/run/trial.env
  systemd-run --quiet --pipe --property=EnvironmentFile=/run/trial.env env | grep ^IDP__ | sort >/run/trial.systemd
  IDP_SETTINGS=/run/trial.env IDP_PROGRAM=/usr/bin/env idp | grep ^IDP__ | sort | diff /run/trial.systemd -
  test "$(wc -l </run/trial.systemd)" = 7
  echo "idp reads settings as systemd does"
}
# What a new machine needs, and the secret that an app knows.
keep_elsewhere() {
  install -d -m 0700 "$safe"
  cp "/var/backups/idp/idp-$(date +%F).dump" "$safe/idp.dump"
  cp /etc/idp/master.key /etc/idp/idp.env /etc/idp/database /root/my-service.json "$safe"
}
take_from_elsewhere() {
  install -d -m 0700 /root/safe
  cp "$safe"/{idp.dump,master.key,idp.env,database} /root/safe
  cp "$safe/my-service.json" /root
}
# A backup of three weeks ago goes, one of last week stays.
old_backups() {
  local kind
  for kind in dump backup; do
    touch -d '3 weeks ago' "/var/backups/idp/idp-of-three-weeks.$kind"
    touch -d '1 week ago' "/var/backups/idp/idp-of-one-week.$kind"
  done
}
removed_backups() {
  test ! -e "/var/backups/idp/idp-of-three-weeks.$1" -a -e "/var/backups/idp/idp-of-one-week.$1"
  echo "backups are kept for 14 days"
}
# A version to come has a table that refers to one of this version.
newer_schema() { runuser -u postgres -- psql --quiet --set=ON_ERROR_STOP=1 idp <<<'CREATE TABLE "Newer" ("UserId" uuid REFERENCES "Users" ("Id"))'; }
older_schema() { test "$(runuser -u postgres -- psql --tuples-only --no-align idp <<<"SELECT to_regclass('\"Newer\"') IS NULL")" = t; }
# The commands within containers, of the blocks that are not run.
container_commands() {
  install -d -m 0700 -o idp -g idp /var/lib/idp/commands
  local command
  idp migrate --data /var/lib/idp/commands >/dev/null
  awk '/^```shell$/ { on = 1; next } /^```/ { on = 0 } on && match($0, / IdP [a-z].*/) { print substr($0, RSTART + 5) }' deploy/README.md | awk '!seen[$0]++' >/run/commands
  test "$(wc -l </run/commands)" -ge 4
  while read -r command; do
    echo "IdP $command"
    eval "idp $command --data /var/lib/idp/commands" </dev/null >/run/command.out || { cat /run/command.out; return 1; }
  done </run/commands
  rm -r /var/lib/idp/commands
}
END
  echo "safe=$(printf %q "$safe")"
  "chapter_$1"
  echo 'step end; echo "The walk is over: every step was done."'
}
chapter_nodes() {
  echo 'step "port 80 before there is a certificate"; systemctl start nginx; challenge; systemctl stop nginx'
  blocks "$readme" "Two nodes on PostgreSQL behind nginx" |
    after 'IDP__Http__TrustedProxies=' 'IDP__Mail__From=Example <no-reply@example.com>' |
    before 'systemctl start idp-backup' old_backups |
    after 'systemctl start idp-backup' 'removed_backups dump' |
    after 'rm /etc/idp/trial.env /etc/idp/trial.database' keep_elsewhere
  echo 'step tests/deploy/proxy.sh; tests/deploy/proxy.sh nginx idp@8081 idp@8082; challenge; renew; settings'
  blocks "$operations" '' "Everything is lost" "With SQLite" |
    after 'systemctl stop idp@8081 idp@8082' newer_schema |
    after 'runuser -u postgres -- pg_restore --exit-on-error --no-owner --role=idp --dbname=idp ' older_schema
}
chapter_lost() {
  echo take_from_elsewhere
  blocks "$readme" "1. Packages and the program"
  blocks "$operations" "Settings and database"
  blocks "$readme" "5. A certificate"
  blocks "$readme" "6. nginx"
  blocks "$operations" "What the apps see"
}
chapter_one() {
  # Apache is tried where it would be set up: while the server is on port 8080.
  blocks "$readme" "One machine with SQLite" |
    after 'IDP__Http__TrustedProxies=' 'IDP__Mail__From=Example <no-reply@example.com>' |
    before 'systemctl start idp-backup' old_backups |
    after 'systemctl start idp-backup' 'removed_backups backup' |
    after 'rm -r /var/lib/idp/trial' 'step "commands in containers"; container_commands
challenge' |
    after 'systemctl disable --now nginx' 'tests/deploy/proxy.sh apache idp'
  echo 'step "a renewed certificate without a proxy"; renew'
  blocks "$operations" "With SQLite"
}

build/publish.sh --if-changed
for chapter in "${chapters[@]}"; do
  mkdir -p "artifacts/deploy-walk/$chapter"
  script "$chapter" >"artifacts/deploy-walk/$chapter/script"
  bash -n "artifacts/deploy-walk/$chapter/script"
done
wrong=0 not_run=()
if (($# == 0)); then
  # Every block is in a chapter.
  while read -r place; do
    grep -qxF "step $place" artifacts/deploy-walk/{nodes,lost,one}/script || { echo "no chapter runs $place"; wrong=1; }
  done < <(for file in "$readme" "$operations"; do blocks "$file"; done | sed -n 's/^step //p')
fi
for chapter in "${chapters[@]}"; do
  output=artifacts/deploy-walk/$chapter
  if [[ $chapter == nodes ]]; then rm -rf "$safe"; fi
  echo "== chapter $chapter"
  code=0
  tests/deploy/machine.sh "$output/script" "$output" || code=$?
  case $code in
    0) ;;
    77) not_run+=("$chapter") ;;
    *) echo "chapter $chapter FAILED"; wrong=1 ;;
  esac
done
if ((${#not_run[@]} > 0)); then echo "NOT RUN: ${not_run[*]} (no throw-away machine can be had here, see above)"; fi
exit $wrong
