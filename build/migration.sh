#!/usr/bin/env bash
# migration.sh NAME: the same migration for every database.
set -euo pipefail
cd "$(dirname "$0")/.."
if [[ ! ${1:-} =~ ^[A-Z][A-Za-z0-9]+$ ]]; then
  echo 'Name what changed: make migration name=AddDevices' >&2
  exit 2
fi
dotnet tool restore >/dev/null
dotnet build src/IdP -v q
for engine in Sqlite Postgres SqlServer; do
  dotnet ef migrations add "$1" --project src/IdP --no-build --context "${engine}IdpDbContext" \
    --output-dir "Storage/Migrations/$engine" --namespace "IdP.Storage.Migrations.$engine"
done
dotnet build src/IdP -v q
IDP__Storage__Provider=sqlserver IDP__Storage__ConnectionString='Server=127.0.0.1' \
  dotnet run --project src/IdP --no-build -- migrate --script "$PWD/deploy/sql/sqlserver.sql"
