#!/usr/bin/env bash
# screenshots.sh: drives the sample app and the interactive documents in Chromium against the demo's data and writes the pictures of docs/images.
# The ports 8080, 7001 and 7200 must be free.
set -euo pipefail
cd "$(dirname "$0")/.."
build/setup.sh test
mkdir -p docs/images
IDP_SCREENSHOTS=$PWD/docs/images dotnet test tests/IdP.Browser.Tests -c Release -v q --filter "FullyQualifiedName~SampleApps.The_web_app|FullyQualifiedName~InteractiveDocuments.Authorize_by_the_code_flow|FullyQualifiedName~AccountPages.A_person_finds|FullyQualifiedName~Newcomer"
ls -l docs/images
