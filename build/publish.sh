#!/usr/bin/env bash
# publish.sh [--if-changed] [RID]: the self-contained, ReadyToRun program at artifacts/idp/IdP; on wish only when a source is newer than it.
set -euo pipefail
cd "$(dirname "$0")/.."
if [[ ${1:-} == --if-changed ]]; then
  shift
  if [[ -x artifacts/idp/IdP ]] && ! find src build/publish.sh Directory.*.props global.json -type f -not -path '*/bin/*' -not -path '*/obj/*' -newer artifacts/idp/IdP.dll | grep -q .; then
    echo "artifacts/idp/IdP is up to date"
    exit
  fi
fi
rm -rf artifacts/idp artifacts/compiled-models
# EF's model as code, so that a start does not build it anew; EF finds it by itself in the assembly.
dotnet tool restore >/dev/null
dotnet build src/IdP -c Release -v q "-clp:ErrorsOnly;NoSummary"
for engine in Sqlite Postgres SqlServer; do
  dotnet ef dbcontext optimize --project src/IdP --configuration Release --no-build --context "${engine}IdpDbContext" \
    --output-dir ../../artifacts/compiled-models/$engine --namespace "IdP.Storage.CompiledModels.$engine" >/dev/null
done
# A folder of files, not a single file: that one would have to unpack its native libraries at each first start.
# Not composite: that takes a quarter of a second off the start, but its one large image keeps 12 MiB more in memory all the time.
# Its own --artifacts-path: a restore for one RID in src/IdP/obj would make the next ordinary build restore again.
dotnet publish src/IdP -c Release -r "${1:-linux-x64}" --self-contained -p:PublishReadyToRun=true \
  -p:CompiledModels="$PWD/artifacts/compiled-models" -p:GenerateDocumentationFile=false \
  --artifacts-path artifacts/publish -o artifacts/idp -v q "-clp:ErrorsOnly;NoSummary"
# Without it SQL Server's driver fails at the first command with a parameter.
[[ -f artifacts/idp/Microsoft.SqlServer.Server.dll ]] || { echo "artifacts/idp lacks Microsoft.SqlServer.Server.dll" >&2; exit 1; }
echo "artifacts/idp/IdP: $(du -sh artifacts/idp | cut -f1), $(artifacts/idp/IdP --version 2>/dev/null || true)"
