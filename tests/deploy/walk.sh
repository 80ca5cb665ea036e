#!/usr/bin/env bash
# walk.sh [CHAPTER...]: an operator's walk. Runs every block marked `sh` of deploy/README.md and docs/OPERATIONS.md, in order, with the published
# program, Debian's PostgreSQL, nginx, Apache and Prometheus, and a real systemd, each chapter on a throw-away machine (machine.sh).
# Chapters: nodes (with docs/OPERATIONS.md), one. Logs: artifacts/deploy-walk/CHAPTER/log.
# Functions are called by name (chapter_...), which shellcheck does not see.
# shellcheck disable=SC2317
set -euo pipefail
cd "$(dirname "$0")/../.."
chapters=("$@")
[[ ${#chapters[@]} -gt 0 ]] || chapters=(nodes one)

# blocks FILE [HEADING]: the blocks of the file, or of the chapter under that heading, as a script that says where each is from.
blocks() {
  awk -v file="$1" -v heading="${2:-}" '
    /^## / { inside = heading == "" || $0 == "## " heading }
    heading == "" && NR == 1 { inside = 1 }
    /^```sh$/ && inside { on = 1; printf "\nstep %s:%d\n", file, NR; next }
    /^```/ && on { on = 0; next }
    on { print }
  ' "$1"
}

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
END
  "chapter_$1"
  echo 'step end; echo "The walk is over: every step was done."'
}
chapter_nodes() {
  blocks deploy/README.md "Two nodes on PostgreSQL behind nginx"
  echo 'step tests/deploy/proxy.sh; tests/deploy/proxy.sh nginx idp@8081 idp@8082'
  blocks docs/OPERATIONS.md
}
chapter_one() {
  # Apache is tried where it would be set up: while the server is on port 8080.
  blocks deploy/README.md "One machine with SQLite" | awk '/^systemctl stop nginx/ { print; print "tests/deploy/proxy.sh apache idp"; next } { print }'
}

build/publish.sh --if-changed
wrong=0
for chapter in "${chapters[@]}"; do
  output=artifacts/deploy-walk/$chapter
  mkdir -p "$output"
  script "$chapter" >"$output/script"
  bash -n "$output/script"
  echo "== chapter $chapter"
  code=0
  tests/deploy/machine.sh "$output/script" "$output" || code=$?
  case $code in
    0) ;;
    77) echo "chapter $chapter was skipped" ;;
    *) echo "chapter $chapter FAILED"; wrong=1 ;;
  esac
done
exit $wrong
