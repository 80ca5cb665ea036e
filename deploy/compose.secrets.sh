#!/usr/bin/env bash
# compose.secrets.sh: makes the secrets that the compose files mount and that are not there yet, in deploy/secrets (or the folder FOLDER).
# They belong to the container's group (10001) and nobody else may read them. Run it as root; with rootless podman: podman unshare deploy/compose.secrets.sh
set -euo pipefail
folder=${FOLDER:-$(dirname "$0")/secrets}
install -d -m 0751 "$folder"
put() { # NAME: standard input becomes the secret, unless it is there
  [[ -e $folder/$1 ]] && { cat >/dev/null; return; }
  install -m 0440 -o 0 -g 10001 /dev/stdin "$folder/$1"
  echo "made $folder/$1"
}
openssl rand -base64 32 | put master.key
# SQL Server wants capitals, small letters, digits or signs; this has them.
echo "Aa1-$(openssl rand -hex 20)" | put database-password
password=$(cat "$folder/database-password")
echo "Host=database;Database=idp;Username=idp;Password=$password;Maximum Pool Size=40" | put postgres
echo "Server=database;Database=idp;User Id=sa;Password=$password;Encrypt=True;TrustServerCertificate=True" | put sqlserver
