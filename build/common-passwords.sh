#!/usr/bin/env bash
# Makes src/IdP/Accounts/common-passwords.txt.gz: the passwords, names and words of zxcvbn's frequency lists that are long enough to be
# somebody's password here, one a line in lower case and in the order of their bytes. Needs npm and node.
set -euo pipefail
target=$(git -C "$(dirname "$0")" rev-parse --show-toplevel)/src/IdP/Accounts
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
npm pack --silent zxcvbn@4.4.2 > /dev/null
tar xzf zxcvbn-4.4.2.tgz
node -e '
  const lists = Object.values(require("./package/lib/frequency_lists.js"));
  const words = new Set(lists.flatMap(list => Array.isArray(list) ? list : list.split(",")).map(word => word.toLowerCase()).filter(word => [...word].length >= 8));
  process.stdout.write([...words].map(word => Buffer.from(word)).sort(Buffer.compare).join("\n") + "\n");
' | gzip -9 -n > "$target/common-passwords.txt.gz"
cp package/LICENSE.txt "$target/common-passwords.LICENSE.txt"
