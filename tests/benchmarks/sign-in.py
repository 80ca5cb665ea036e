"""sign-in.py URL USER PASSWORD COUNT: signs in through the pages as a browser would and prints what flows.lua needs: the authorization
request, the session's cookie, the forms of the token requests, and COUNT refresh tokens, each of a grant of its own."""
import base64, hashlib, html, http.cookiejar, json, re, sys, urllib.error, urllib.parse, urllib.request

url, user, password, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
verifier = 'v' * 64
challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b'=').decode()
client = {'client_id': 'bench-web', 'client_secret': 'bench-secret-of-32-characters-ok'}
redirect = 'https://bench.example/callback'


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


jar = http.cookiejar.CookieJar()
browser = urllib.request.build_opener(Stay, urllib.request.HTTPCookieProcessor(jar))


def send(address, form=None):
    try:
        answer = browser.open(address, urllib.parse.urlencode(form).encode() if form else None)
    except urllib.error.HTTPError as refused:
        answer = refused
    return answer.headers.get('Location'), answer.read().decode()


def follow(address):
    location, body = send(address)
    while location and location.startswith('/'):
        location, body = send(url + location)
    return location, body


def submit(path, body, **filled):
    fields = {}
    for tag in re.findall(r'<input[^>]*>', body):
        name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
        if name:
            fields[name[1]] = html.unescape(value[1]) if value else ''
    location, body = send(url + path, fields | filled)
    return follow(url + location) if location and location.startswith('/') else (location, body)


parameters = {'client_id': 'bench-web', 'redirect_uri': redirect, 'response_type': 'code', 'scope': 'openid bench:read', 'state': 's', 'nonce': 'n',
              'code_challenge': challenge, 'code_challenge_method': 'S256'}
offline = parameters | {'scope': 'bench:read offline_access'}


def codes(asked):
    return follow(f'{url}/connect/authorize?{urllib.parse.urlencode(asked)}')


location, page = codes(parameters)
location, page = submit('/sign-in', page, username=user, password=password)
for asked in (parameters, offline):
    location, page = codes(asked)
    if 'consent-accept' in page:
        location, page = submit('/consent', page)

redeem = urllib.parse.urlencode(client | {'grant_type': 'authorization_code', 'redirect_uri': redirect, 'code_verifier': verifier}) + '&code='
print('authorize', f'/connect/authorize?{urllib.parse.urlencode(parameters)}')
print('cookie', '; '.join(f'{cookie.name}={cookie.value}' for cookie in jar))
print('redeem', redeem)
print('refresh', urllib.parse.urlencode(client | {'grant_type': 'refresh_token'}) + '&refresh_token=')
for _ in range(count):
    location, page = codes(offline)
    code = urllib.parse.parse_qs(urllib.parse.urlparse(location).query)['code'][0]
    _, answer = send(f'{url}/connect/token', dict(urllib.parse.parse_qsl(redeem)) | {'code': code})
    print('token', json.loads(answer)['refresh_token'])
