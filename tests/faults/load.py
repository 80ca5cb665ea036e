"""load.py STEP LEDGER URL...: clients of the demo that keep a ledger of what they were told, for the scripts beside this file.

  prepare  signs in through the pages and gets the first refresh tokens
  run      issues and redeems codes, rotates refresh tokens and revokes tokens until SIGTERM; then the ledger is written
  check    holds the server to the ledger: what was acknowledged works, what was used up or revoked never again

Each request goes to the next of the URLs. No answer, and 503 with Retry-After, are what a fault may cause: the client tries again, as
clients do. Any other surprise is a violation, and the step ends with exit code 1. With STRICT=1 every answer that is not a success
is one; with GATEWAY=1 there is a proxy in between, which may answer 502 and 504.
Figures of `run`, in one line: successes, answers with 503, no answer, and the longest time without any success."""
import base64, hashlib, html, http.client, http.cookiejar, itertools, json, os, random, re, secrets, signal, sys, threading, time
import urllib.error, urllib.parse, urllib.request

# SAMPLE: how many of each kind the check looks at; by default all.
SAMPLE = int(os.environ.get('SAMPLE', 1_000_000))
FAMILIES, CODERS, REVOKERS = int(os.environ.get('FAMILIES', 6)), int(os.environ.get('CODERS', 2)), int(os.environ.get('REVOKERS', 1))
STRICT, GATEWAY = os.environ.get('STRICT') == '1', os.environ.get('GATEWAY') == '1'
# A code must be redeemed within a minute, of which a slow machine may need some.
CODE_SECONDS = 45
# How often one refresh token is answered within the overlap, the first time included.
MOST_USES = 3
step, file, urls = sys.argv[1], sys.argv[2], sys.argv[3:]
turn = itertools.count(random.randrange(len(urls)))
lock = threading.Lock()
ended = threading.Event()
violations, counts = [], {'success': 0, '503': 0, 'no answer': 0, '502': 0}
last_success, longest_gap = time.monotonic(), 0.0
connections = threading.local()


def violation(text):
    with lock:
        violations.append(text)


def count(what):
    global last_success, longest_gap
    with lock:
        counts[what] += 1
        if what == 'success':
            now = time.monotonic()
            longest_gap, last_success = max(longest_gap, now - last_success), now


def send(method, path, form=None, headers=None):
    """One try: (status, headers, body), or None when no answer came."""
    base = urls[next(turn) % len(urls)]
    kept = connections.__dict__.setdefault('kept', {})
    try:
        # A kept connection that the server has closed meanwhile is not a lost answer: the proxy or a new connection decides.
        connection = kept.get(base) or http.client.HTTPConnection(urllib.parse.urlsplit(base).netloc, timeout=20)
        kept[base] = connection
        body = urllib.parse.urlencode(form) if form is not None else None
        connection.request(method, path, body, {'Content-Type': 'application/x-www-form-urlencoded', **(headers or {})} if form is not None else headers or {})
        answer = connection.getresponse()
        text = answer.read().decode()
        if answer.getheader('Connection', '').lower() == 'close':
            kept.pop(base).close()
        return answer.status, answer.headers, text
    except (OSError, http.client.HTTPException):
        if kept.get(base):
            kept.pop(base).close()
        return None


def call(what, method, path, form=None, headers=None, expected=(200,)):
    """One try that may meet a fault: the answer, or None when there is to be another try."""
    answer = send(method, path, form, headers)
    if answer is None:
        count('no answer')
        if STRICT:
            violation(f'{what}: no answer')
        time.sleep(0.05)
        return None
    status, got, body = answer
    if status in expected:
        count('success')
        return answer
    if status == 503 and not STRICT:
        count('503')
        if not got.get('Retry-After'):
            violation(f'{what}: 503 without Retry-After')
        time.sleep(0.05)
        return None
    if status in (502, 504) and GATEWAY and not STRICT:
        count('502')
        time.sleep(0.05)
        return None
    violation(f'{what}: {status} {" ".join(body.split())[:300]}')
    return answer


def stubborn(what, *arguments, **options):
    """Tries until there is an answer: outside of faults."""
    for _ in range(100):
        answer = call(what, *arguments, **options)
        if answer is not None:
            return answer
        time.sleep(0.1)
    violation(f'{what}: no answer after 100 tries')
    return 0, {}, '{}'


def basic(client, secret):
    return {'Authorization': 'Basic ' + base64.b64encode(f'{client}:{secret}'.encode()).decode()}


CLIENTS = {
    'demo-web': ('http://localhost:7200/callback', basic('demo-web', 'demo-web-secret')),
    'demo-spa': ('http://localhost:7200/spa.html', {}),
}


def token_request(client, form, what, expected=(200,), way=call):
    # A public client names itself in the form.
    return way(what, 'POST', '/connect/token', form | ({} if CLIENTS[client][1] else {'client_id': client}), CLIENTS[client][1], expected)


def refresh(client, token, **options):
    return token_request(client, {'grant_type': 'refresh_token', 'refresh_token': token}, f'refresh of {client}', **options)


def redeem(client, code, verifier, **options):
    return token_request(client, {'grant_type': 'authorization_code', 'code': code, 'redirect_uri': CLIENTS[client][0], 'code_verifier': verifier}, f'redemption by {client}', **options)


def authorization(client):
    verifier = secrets.token_urlsafe(48)
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b'=').decode()
    return verifier, '/connect/authorize?' + urllib.parse.urlencode({
        'client_id': client, 'redirect_uri': CLIENTS[client][0], 'response_type': 'code', 'scope': 'openid offline_access items:read', 'state': 's', 'nonce': 'n',
        'code_challenge': challenge, 'code_challenge_method': 'S256'})


def new_code(client, cookie):
    """(code, verifier) in the session of the cookie; None when there is to be another try."""
    verifier, path = authorization(client)
    answer = call(f'authorization of {client}', 'GET', path, None, {'Cookie': cookie, 'Accept': 'text/html'}, (303,))
    if answer is None:
        return None
    code = urllib.parse.parse_qs(urllib.parse.urlsplit(answer[1].get('Location', '')).query).get('code')
    if not code:
        violation(f'authorization of {client}: {answer[0]} {answer[1].get("Location")}')
        return None
    return code[0], verifier


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Browser:
    def __init__(self):
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(Stay, urllib.request.HTTPCookieProcessor(self.jar))

    def open(self, path, form=None):
        """Follows redirects within the provider: (where else it leads, page)."""
        for _ in range(10):
            try:
                answer = self.opener.open(urls[0] + path, urllib.parse.urlencode(form).encode() if form else None, timeout=60)
            except urllib.error.HTTPError as other:
                answer = other
            path, form, body = answer.headers.get('Location'), None, answer.read().decode()
            if not path or not path.startswith('/'):
                return path, body
        raise SystemExit('too many redirects')

    def submit(self, path, body, **filled):
        fields = {}
        for tag in re.findall(r'<input[^>]*>', body):
            name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
            if name:
                fields[name[1]] = html.unescape(value[1]) if value else ''
        return self.open(path, fields | filled)

    def code(self, client):
        """Through sign-in and consent as far as they are asked for: (code, verifier)."""
        verifier, path = authorization(client)
        location, page = self.open(path)
        if 'login-submit' in page:
            location, page = self.submit('/sign-in', page, username='alice', password='alice-Wonderland-42')
        if 'consent-accept' in page:
            location, page = self.submit('/consent', page)
        if not location or 'code=' not in location:
            raise SystemExit(f'signing in for {client} led to {location} {page[:500]}')
        return urllib.parse.parse_qs(urllib.parse.urlsplit(location).query)['code'][0], verifier


def prepare():
    browser, families = Browser(), []
    # The web app's consent is remembered; an app of the device is asked about every time.
    browser.code('demo-web')
    for _ in range(FAMILIES):
        code, verifier = browser.code('demo-spa')
        families.append({'current': json.loads(redeem('demo-spa', code, verifier, way=stubborn)[2])['refresh_token'], 'replaced': []})
    cookie = '; '.join(f'{cookie.name}={cookie.value}' for cookie in browser.jar)
    save({'cookie': cookie, 'families': families, 'waiting': [], 'redeemed': [], 'revoked': []})


def rotate(family):
    lost = 0
    while not ended.is_set():
        # One token is answered three times in all, and each answer that is lost may have been one of them.
        answer = refresh('demo-spa', family['current'], expected=(200, 400) if lost >= MOST_USES else (200,))
        if answer is None:
            lost += 1
            continue
        if answer[0] == 400 and lost >= MOST_USES:
            family['used up'] = True
            if json.loads(answer[2]).get('error') != 'invalid_grant':
                violation(f'a refresh token that was used up: {answer[2][:300]}')
        if answer[0] != 200:
            return
        lost = 0
        body = json.loads(answer[2])
        if body['refresh_token'] == family['current']:
            violation('a rotation gave the same refresh token')
        family['replaced'].append(family['current'])
        family['current'], family['access'] = body['refresh_token'], body['access_token']


def issue(ledger):
    """Codes one after the other; every third waits for the check."""
    for number in itertools.count():
        if ended.is_set():
            return
        made = new_code('demo-web', ledger['cookie'])
        if made is None:
            continue
        code, verifier = made
        if number % 3 == 0:
            ledger['waiting'].append([code, verifier, time.time()])
            continue
        # Whether a code whose answer was lost has been used up, the client cannot know: it may have to start again. A proxy may have tried twice by itself.
        tries = 1 if GATEWAY and not STRICT else 0
        while not ended.is_set():
            answer = redeem('demo-web', code, verifier, expected=(200,) if tries == 0 else (200, 400))
            tries += 1
            if answer is None:
                continue
            if answer[0] == 200:
                ledger['redeemed'].append([code, verifier, json.loads(answer[2])['refresh_token']])
            break


def revoke(ledger):
    service = basic('demo-service', 'demo-service-secret')
    while not ended.is_set():
        answer = call('token for a service', 'POST', '/connect/token', {'grant_type': 'client_credentials', 'scope': 'items:read'}, service)
        if answer is None or answer[0] != 200:
            continue
        token = json.loads(answer[2])['access_token']
        while not ended.is_set():
            answer = call('revocation', 'POST', '/connect/revoke', {'token': token}, service)
            if answer is None:
                continue
            if answer[0] == 200:
                ledger['revoked'].append(token)
            break


def run():
    global last_success
    ledger = load()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    last_success = time.monotonic()
    work = [(rotate, family) for family in ledger['families']] + [(issue, ledger)] * CODERS + [(revoke, ledger)] * REVOKERS
    threads = [threading.Thread(target=what, args=(of,), daemon=True) for what, of in work]
    for thread in threads:
        thread.start()
    ended.wait()
    for thread in threads:
        thread.join(30)
    save(ledger)
    print(f'    load: {counts["success"]} successes, {counts["503"]} answers 503' + (f', {counts["502"]} of the proxy 502' if GATEWAY else '') +
          f', {counts["no answer"]} without an answer; longest time without a success {longest_gap:.1f} s')
    print(f'    ledger: {sum(len(f["replaced"]) for f in ledger["families"])} refresh tokens replaced in {len(ledger["families"])} families, '
          f'{sum("used up" in f for f in ledger["families"])} of them used up by lost answers, {len(ledger["redeemed"])} codes redeemed, {len(ledger["waiting"])} waiting, {len(ledger["revoked"])} tokens revoked')
    if counts['success'] < 20:
        violation('hardly anything was done: the load proves nothing')


def check():
    ledger = load()
    acknowledged = used = 0

    def accepted(answer, what):
        nonlocal acknowledged
        acknowledged += 1
        if answer[0] != 200:
            violation(f'lost: {what}')
        return json.loads(answer[2]) if answer[2] else {}

    def refused(answer, what):
        nonlocal used
        used += 1
        if answer[0] == 200:
            violation(f'accepted again: {what}')
        elif json.loads(answer[2]).get('error') != 'invalid_grant':
            violation(f'{what}: {answer[2]}')

    for kind in ('waiting', 'redeemed', 'revoked'):
        random.shuffle(ledger[kind])
        del ledger[kind][SAMPLE:]
    either = {'expected': (200, 400), 'way': stubborn}
    waiting = [one for one in ledger['waiting'] if time.time() - one[2] < CODE_SECONDS]
    for code, verifier, _ in waiting:
        accepted(redeem('demo-web', code, verifier, **either), 'a code that nobody had used')
    ledger['families'] = [family for family in ledger['families'] if 'used up' not in family]
    for family in ledger['families']:
        family['current'] = accepted(refresh('demo-spa', family['current'], **either), 'a refresh token').get('refresh_token', '')
        if 'access' in family and not introspect(family['access']):
            violation('lost: an access token')
    for _, _, token in ledger['redeemed']:
        accepted(refresh('demo-web', token, **either), 'a refresh token of a redeemed code')
    for token in ledger['revoked']:
        used += 1
        if introspect(token):
            violation('alive again: a token whose revocation was acknowledged')
    for code, verifier, *_ in waiting + ledger['redeemed']:
        refused(redeem('demo-web', code, verifier, **either), 'a code that was used')
    # The first of each family may be any: it ends the family, and the others are refused for that.
    for family in ledger['families']:
        random.shuffle(family['replaced'])
        for token in family['replaced'][:SAMPLE]:
            refused(refresh('demo-spa', token, **either), 'a refresh token that was replaced')
        if family['replaced']:
            refused(refresh('demo-spa', family['current'], **either), 'a refresh token of a family that somebody misused')
    print(f'    checked: {acknowledged} things acknowledged work, {used} things used up or revoked do not; {len(ledger["waiting"]) - len(waiting)} waiting codes had run out')


def introspect(token):
    return json.loads(stubborn('introspection', 'POST', '/connect/introspect', {'token': token}, basic('demo-api', 'demo-api-secret'))[2]).get('active')


def load():
    with open(file, encoding='utf-8') as text:
        return json.load(text)


def save(ledger):
    with open(file, 'w', encoding='utf-8') as text:
        json.dump(ledger, text)


{'prepare': prepare, 'run': run, 'check': check}[step]()
for text in sorted(set(violations))[:20]:
    print(f'    VIOLATION ({violations.count(text)}x): {text}')
sys.exit(1 if violations else 0)
