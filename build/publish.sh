#!/usr/bin/env bash
# publish.sh [RID]: the self-contained, ReadyToRun program at artifacts/idp/IdP.
set -euo pipefail
cd "$(dirname "$0")/.."
rm -rf artifacts/idp
# A folder of files, not a single file: that one would have to unpack its native libraries at each first start.
# Its own --artifacts-path: a restore for one RID in src/IdP/obj would make the next ordinary build restore again.
dotnet publish src/IdP -c Release -r "${1:-linux-x64}" --self-contained -p:PublishReadyToRun=true \
  --artifacts-path artifacts/publish -o artifacts/idp -v q
echo "artifacts/idp/IdP: $(du -sh artifacts/idp | cut -f1), $(artifacts/idp/IdP --version 2>/dev/null || true)"
