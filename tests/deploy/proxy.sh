#!/usr/bin/env bash
# proxy.sh nginx|apache UNIT...: the proxy's file of deploy/ in front of the server in these units, on a throw-away machine: it answers over TLS,
# hides the health answers, and tells the caller's address to the server, whatever forged headers say.
set -euo pipefail
proxy=$1
shift
units=()
for unit in "$@"; do units+=(--unit "$unit"); done

if [[ $proxy == apache ]]; then
  modules=/usr/lib/apache2/modules
  install -d /var/log/apache2 /run/apache2
  {
    echo "ServerRoot /run/apache2"
    echo "PidFile /run/apache2/httpd.pid"
    echo "ErrorLog /var/log/apache2/error.log"
    echo "ServerName id.example.com"
    echo "Listen 443"
    echo "User www-data"
    echo "Group www-data"
    # alias: Redirect, which Debian's apache2 has on.
    for module in mpm_event authn_core authz_core alias ssl socache_shmcb headers proxy proxy_http; do
      if [[ -e $modules/mod_$module.so ]]; then echo "LoadModule ${module}_module $modules/mod_$module.so"; fi
    done
    cat deploy/apache/idp.conf
  } >/run/apache2/httpd.conf
  apache2 -f /run/apache2/httpd.conf -t
  apache2 -f /run/apache2/httpd.conf -k start
  trap 'apache2 -f /run/apache2/httpd.conf -k stop' EXIT
fi

fail() { echo "FAILED: $1"; tail -n 20 /var/log/apache2/error.log /var/log/nginx/error.log 2>/dev/null || true; exit 1; }
issuer=https://id.example.com
curl -sS --fail --retry 20 --retry-connrefused --retry-delay 1 "$issuer/.well-known/openid-configuration" | grep -q "\"issuer\":\"$issuer\"" || fail "no metadata through $proxy"
status() { curl -s -o /dev/null -w '%{http_code}' "$@"; }
[[ $(status "$issuer/health/ready") == 404 ]] || fail "health answers are public"
# Apache says 413, or ends the request that it cannot pass on, depending on how much of it has come.
case $(status "$issuer/connect/token" -d "$(printf '%0100000d' 0)") in 413 | 500 | 502 | 000) ;; *) fail "a large request is not refused" ;; esac
long="$issuer/connect/authorize?continue=$(printf '%08000d' 0)"
[[ $(status "$long") != 414 ]] || fail "the proxy refuses addresses as long as sealed requests are"

# The last octet is the test's mark. A wrong secret is refused and logged, with the address.
caller=127.0.0.$((RANDOM % 200 + 20)) client=proxy-$proxy-$RANDOM
curl -s -o /dev/null --interface "$caller" "$issuer/connect/token" -u "$client:wrong" -d grant_type=client_credentials \
  -H 'X-Forwarded-For: 203.0.113.9' -H 'X-Forwarded-For: 203.0.113.10' -H 'Forwarded: for=203.0.113.11' -H 'X-Real-IP: 203.0.113.12'
logged() { journalctl --no-pager --output cat "${units[@]}" | grep -F "$client"; }
for _ in {1..50}; do if logged >/dev/null; then break; fi; sleep 0.1; done
logged | grep -qF "$caller" || fail "the server does not see the caller's address: $(logged)"
if logged | grep -qF 203.0.113; then fail "a forged address is believed: $(logged)"; fi

echo "$proxy: answers over TLS, health hidden, the caller's address told, forged ones disregarded"
