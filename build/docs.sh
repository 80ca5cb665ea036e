#!/usr/bin/env bash
# docs.sh: writes the documents that are made from the code. Tests fail while a committed one is stale.
set -euo pipefail
cd "$(dirname "$0")/.."
export DOTNET_CLI_UI_LANGUAGE=en

# docs/CONFIGURATION.md, from the options and their comments
IDP_WRITE_DOCS=1 dotnet test tests/IdP.Tests -c Release -v q --filter FullyQualifiedName~IdP.Tests.Docs
