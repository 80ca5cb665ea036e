#!/usr/bin/env bash
# broken-database.sh: starts on a database file that is damaged or may not be written.
# shellcheck source=tests/faults/lib.sh
source "$(dirname "$0")/lib.sh"

title "a read-only or damaged database file: no start, one sentence that says what to do, nothing created, nothing changed"
use sqlite
start_node one
stop_node one
mv "$work/data" "$work/whole"

# refuses WHAT SENTENCE [COMMAND...]: the server on $work/data does not start.
refuses() {
  local what=$1 sentence=$2 before after code=0
  shift 2
  before=$(contents)
  timeout 60 "$@" dotnet "$program" serve --urls "${address[one]}" >"$work/out.log" 2>&1 || code=$?
  after=$(contents)
  if ((code != 1 && code != 2)) || ! grep -qF -- "$sentence" "$work/out.log" || (($(wc -l <"$work/out.log") != 1)); then
    wrong "$what: exit code $code: $(head -n 3 "$work/out.log")"
  elif [[ $before != "$after" ]]; then
    wrong "$what: files changed: $(diff <(echo "$before") <(echo "$after"))"
  else
    says "$what: exit code $code, $(cut -c1-160 "$work/out.log" | sed "s|$work/||g")"
  fi
}
# SQLite's own two files come and go with whoever reads.
contents() { (cd "$work/data" && find . -type f ! -name '*-wal' ! -name '*-shm' -exec sha256sum {} + | sort -k 2); }
fresh() { rm -rf "$work/data"; cp -r "$work/whole" "$work/data"; }
damage() { dd if=/dev/urandom of="$work/data/idp.db" bs=4096 seek="$1" count="$2" conv=notrunc status=none; }
size() { stat -c %s "$work/data/idp.db"; }

damaged='is damaged or not one of this program'"'"'s: restore a backup'
fresh; damage 0 1
refuses "garbage in place of the first page" "$damaged"
fresh; damage 1 $(($(size) / 4096 - 1))
refuses "garbage in place of every other page" "$damaged"
fresh; truncate -s $(($(size) / 2)) "$work/data/idp.db"
refuses "half of the file" "$damaged"
fresh; head -c 100 /dev/zero >"$work/data/idp.db"
refuses "zeros" "$damaged"

if ((EUID == 0)) && ! setpriv --bounding-set=-all true 2>/dev/null; then
  says "permissions: not run, this superuser cannot lay down that it is above them"
else
  drop=()
  ((EUID)) || drop=(setpriv --bounding-set=-all)
  fresh; chmod 400 "$work/data/idp.db"
  refuses "a file that may only be read" "is read-only: give this user write access" "${drop[@]}"
  fresh; chmod 500 "$work/data"
  refuses "a folder that may only be read" "is read-only: give this user write access to the file and to its folder" "${drop[@]}"
  chmod 700 "$work/data"
fi

fresh
start_node one
[[ $(status "${address[one]}") == 200 ]] || wrong "the whole file does not work either"
finish
