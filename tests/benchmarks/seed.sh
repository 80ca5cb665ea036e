# shellcheck shell=bash
# seed.sh (sourced): a database with what the measurements need, made by the program's own commands.
idp=$PWD/artifacts/idp/IdP
work=$(mktemp -d)
data=$work/data

# shellcheck disable=SC2034 # read by those who source this
{
  token_body='grant_type=client_credentials&client_id=bench&client_secret=bench-secret-of-32-characters-ok&scope=bench:read'
  password_body='grant_type=password&client_id=bench-password&client_secret=bench-secret-of-32-characters-ok&scope=bench:read&password=bench-Password-4242&username=bench-'
  api_authorization="Basic $(printf 'bench-api:bench-secret-of-32-characters-ok' | base64 -w0)"
}

serve_command() { # URL
  echo "$idp serve --data $data --urls $1"
}

mkdir -p "$data"
"$idp" migrate --data "$data" >/dev/null
"$idp" resource add urn:bench:api --algorithm "${ALGORITHM:-ES256}" --data "$data" >/dev/null
"$idp" scope add bench:read --resource urn:bench:api --data "$data" >/dev/null
for client in "bench client_credentials" "bench-password password"; do
  "$idp" client add "${client% *}" --secret bench-secret-of-32-characters-ok --auth-method client_secret_post --grant "${client#* }" \
    --scope bench:read --data "$data" >/dev/null
done
"$idp" client add bench-web --secret bench-secret-of-32-characters-ok --auth-method client_secret_post --grant authorization_code --grant refresh_token --redirect-uri https://bench.example/callback \
  --scope "openid offline_access bench:read" --id-token-alg ES256 --rotate-refresh-tokens true --data "$data" >/dev/null
"$idp" client add bench-api --secret bench-secret-of-32-characters-ok --resource urn:bench:api --data "$data" >/dev/null
# One user would not do: sign-ins of one account at the same time count against its lockout until their hashes are done.
for user in {0..31}; do "$idp" user add "bench-$user" --password bench-Password-4242 --data "$data" >/dev/null; done
