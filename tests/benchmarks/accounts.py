"""accounts.py seed DATABASE PEOPLE: puts so many people into a database of seed.sh, each with a session, a consent, a grant and two events.
accounts.py load DATABASE LOADS URL: the time of each account page for one of them (bench-0 of seed.sh, who has as much), and what is written by
a sign-in."""
import html
import http.client
import os
import re
import sqlite3
import statistics
import sys
import time
import urllib.parse

PAGES = ['', '/profile', '/password', '/sessions', '/second-factors', '/passkeys', '/email', '/apps', '/api-keys', '/events', '/data']


def seed(path, people):
    database = sqlite3.connect(path)
    database.execute('PRAGMA synchronous = OFF')
    now, started = int(time.time() * 1000), time.monotonic()
    client, = database.execute('SELECT "Id" FROM "Clients" WHERE "ClientId" = \'bench-web\'').fetchone()
    template, = database.execute('SELECT "PasswordHash" FROM "Users" LIMIT 1').fetchone()
    known = [row[0] for row in database.execute('SELECT "Id" FROM "Users"')]
    first, = database.execute('SELECT COALESCE(MAX("Sequence"), 0) + 100 FROM "AuditEvents"').fetchone()
    hour = 3600 * 1000

    def rows():
        for number in range(people + len(known)):
            yield number, known[number - people] if number >= people else (now - people + number).to_bytes(6, 'big') + os.urandom(10)

    def insert(table, columns, values):
        database.executemany(f'INSERT INTO "{table}" ({", ".join(chr(34) + c + chr(34) for c in columns.split())}) VALUES ({", ".join("?" * len(columns.split()))})', values)

    ids = list(rows())
    insert('Users', 'Id CreatedAt UpdatedAt UserName NormalizedUserName Email NormalizedEmail EmailConfirmed PasswordHash SecurityStamp PhoneNumberConfirmed TwoFactorEnabled LockoutEnabled AccessFailedCount',
           ((id, now, now, f'person-{n}', f'PERSON-{n}', f'person-{n}@example.com', f'PERSON-{n}@EXAMPLE.COM', 1, template, 'S', 0, 0, 1, 0) for n, id in ids[:people]))
    insert('Sessions', 'Id UserId Seed Generation CreatedAt AuthenticatedAt Acr Amr LastUsedAt IdleExpiresAt AbsoluteExpiresAt Address Browser',
           ((os.urandom(16), id, os.urandom(32), 1, now, now, 'urn:idp:acr:password', 'pwd', now, now + 8 * hour, now + 8 * hour, '192.0.2.1', 'Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0') for n, id in ids))
    insert('Consents', 'UserId ClientKey Items ClientDigest GivenAt', ((id, client, 'openid', bytes(32), now) for n, id in ids))
    insert('Grants', 'Id UserId ClientKey State Origin Scope Seed Generation Retries WrongTries EndsWithSession CreatedAt AuthenticatedAt ExpiresAt IdleExpiresAt AbsoluteExpiresAt',
           ((os.urandom(16), id, client, 1, 'authorization_code', 'openid', os.urandom(32), 1, 0, 0, 0, now, now, now + 48 * hour, now + 48 * hour, now + 48 * hour) for n, id in ids))
    for kind in range(2):
        insert('AuditEvents', 'Id At Type Actor Target Address UserId Sequence Hash',
               ((now.to_bytes(6, 'big') + os.urandom(10), now, 'sign_in.succeeded', f'user:{id.hex()}', f'user:{id.hex()}', '192.0.2.1', id, first + 2 * n + kind, bytes(32)) for n, id in ids))
    database.commit()
    counts = {table: database.execute(f'SELECT COUNT(*) FROM "{table}"').fetchone()[0] for table in ('Users', 'Sessions', 'Consents', 'Grants', 'AuditEvents')}
    database.close()
    print(', '.join(f'{table} {count:,}' for table, count in counts.items()), f'({os.path.getsize(path) / 2**20:.0f} MiB, {time.monotonic() - started:.0f} s)')


class Browser:
    def __init__(self, url):
        self.cookies, self.connection = {}, http.client.HTTPConnection(urllib.parse.urlparse(url).netloc)

    def send(self, method, path, form=None):
        headers = {'Cookie': '; '.join(f'{name}={value}' for name, value in self.cookies.items())}
        if form is not None:
            headers['Content-Type'] = 'application/x-www-form-urlencoded'
        self.connection.request(method, path, urllib.parse.urlencode(form) if form is not None else None, headers)
        answer = self.connection.getresponse()
        for line in answer.headers.get_all('Set-Cookie', []):
            name, value = line.split(';')[0].split('=', 1)
            self.cookies[name] = value
        return answer.status, answer.headers.get('Location'), answer.read().decode()

    def follow(self, path):
        status, location, body = self.send('GET', path)
        while location:
            status, location, body = self.send('GET', location)
        return status, body

    def sign_in(self):
        _, page = self.follow('/account')
        form = {match[1]: html.unescape(match[2]) for match in re.finditer(r'<input[^>]*name="([^"]*)"[^>]*value="([^"]*)"', page)}
        status, location, _ = self.send('POST', '/sign-in', form | {'username': 'bench-0', 'password': 'bench-Password-4242'})
        assert status == 303, status
        return self.follow(location)


def load(path, loads, url):
    browser = Browser(url)
    browser.sign_in()
    for page in PAGES * 40:
        browser.send('GET', '/account' + page)
    print(f'{"page":24} median ms   p99 ms')
    for page in PAGES:
        times = []
        for _ in range(loads):
            started = time.perf_counter()
            status, _, _ = browser.send('GET', '/account' + page)
            times.append((time.perf_counter() - started) * 1000)
            assert status == 200, (page, status)
        times.sort()
        print(f'{"/account" + page:24} {statistics.median(times):9.2f} {times[int(len(times) * 0.99)]:8.2f}')

    tables = [row[0] for row in sqlite3.connect(path).execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]

    def count():
        reading = sqlite3.connect(f'file:{path}?mode=ro', uri=True)
        return {table: reading.execute(f'SELECT COUNT(*) FROM "{table}"').fetchone()[0] for table in tables}
    other = Browser(url)
    before, started = count(), time.perf_counter()
    other.sign_in()
    taken, after = time.perf_counter() - started, count()
    print('a sign-in by password writes:', ', '.join(f'{table} {after[table] - before[table]:+d}' for table in tables if after[table] != before[table]), f'({taken * 1000:.0f} ms with the pages around it)')


if sys.argv[1] == 'seed':
    seed(sys.argv[2], int(sys.argv[3]))
else:
    load(sys.argv[2], int(sys.argv[3]), sys.argv[4])
