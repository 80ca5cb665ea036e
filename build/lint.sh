#!/usr/bin/env bash
# lint.sh: shellcheck over every shell script of the repository.
set -euo pipefail
cd "$(dirname "$0")/.."
git ls-files | while IFS= read -r file; do
  if [[ -f $file ]] && head -c 64 "$file" | head -n 1 | tr -d '\0' | grep -qE '^#!.*\b(ba)?sh\b'; then echo "$file"; fi
done | xargs shellcheck -x
