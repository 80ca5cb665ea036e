"""passkeys.py URL PID SECONDS [BROWSERS]: sign-ins by passkey a second, and a second of the server's (PID's) processor time. URL is at
http://localhost and trusts 127.0.0.1 as a proxy; the users bench-0, bench-1 ... are those of seed.sh. A sign-in is a question, the answer to it and a session of its own; the
page is opened once. Needs python3-cryptography."""
import base64
import hashlib
import html
import http.client
import json
import os
import re
import sys
import threading
import time
import urllib.parse

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

url, pid, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
browsers = int(sys.argv[4]) if len(sys.argv) > 4 else 8
host = urllib.parse.urlparse(url).netloc


def text(data):
    return base64.urlsafe_b64encode(data).rstrip(b'=').decode()


class Browser:
    def __init__(self, number):
        self.number, self.sent, self.cookies, self.connection = number, 0, {}, http.client.HTTPConnection(host)
        self.key, self.id, self.handle, self.count = ec.generate_private_key(ec.SECP256R1()), os.urandom(32), b'', 0
        # Sign in by password, once, to add the passkey.
        page = self.follow('/account/passkeys')
        page = self.submit('/sign-in', page, username=f'bench-{self.number}', password='bench-Password-4242')
        assert 'passkey-form' in page, page
        self.submit('/account/passkeys', page, credential=self.create(self.post('/account/passkeys?handler=Options', self.fields(page))[1]))
        self.cookies = {}
        self.form = self.fields(self.follow('/account/passkeys'))
        self.kept = dict(self.cookies)

    def send(self, method, path, form=None):
        # Each browser at an address of its own: questions from one address are limited.
        self.sent += 1
        headers = {'X-Forwarded-For': f'10.{self.number}.{self.sent // 400 % 250}.1', 'Cookie': '; '.join(f'{name}={value}' for name, value in self.cookies.items())}
        if form is not None:
            headers['Content-Type'] = 'application/x-www-form-urlencoded'
        self.connection.request(method, path, urllib.parse.urlencode(form) if form is not None else None, headers)
        answer = self.connection.getresponse()
        for line in answer.headers.get_all('Set-Cookie', []):
            name, value = line.split(';')[0].split('=', 1)
            self.cookies[name] = value
        return answer.headers.get('Location'), answer.read().decode()

    def post(self, path, form):
        return self.send('POST', path, form)

    def follow(self, path):
        location, body = self.send('GET', path)
        while location:
            location, body = self.send('GET', location)
        return body

    def submit(self, path, page, **filled):
        location, body = self.post(path, self.fields(page) | filled)
        return self.follow(location) if location else body

    @staticmethod
    def fields(page):
        found = {}
        for tag in re.findall(r'<input[^>]*>', page):
            name, value = re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)
            if name:
                found[name[1]] = html.unescape(value[1]) if value else ''
        return found

    def data(self, flags):
        return hashlib.sha256(b'localhost').digest() + bytes([flags]) + self.count.to_bytes(4, 'big')

    def client_data(self, kind, options):
        return json.dumps({'type': kind, 'challenge': options['challenge'], 'origin': url, 'crossOrigin': False}).encode()

    def answer(self, **response):
        return json.dumps({'id': text(self.id), 'rawId': text(self.id), 'type': 'public-key', 'clientExtensionResults': {}, 'response': response})

    def create(self, options):
        options = json.loads(options)
        self.handle = base64.urlsafe_b64decode(options['user']['id'] + '==')
        point = self.key.public_key().public_numbers()
        # RFC 9053 §7.1: a map of kty, alg, crv, x and y.
        cose = b'\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20' + point.x.to_bytes(32, 'big') + b'\x22\x58\x20' + point.y.to_bytes(32, 'big')
        data = self.data(0x45) + bytes(16) + b'\x00\x20' + self.id + cose
        attestation = b'\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58' + bytes([len(data)]) + data
        return self.answer(clientDataJSON=text(self.client_data('webauthn.create', options)), attestationObject=text(attestation), transports=['internal'])

    def sign_in(self):
        self.cookies = dict(self.kept)
        options = json.loads(self.post('/sign-in/passkey?handler=Options', self.form)[1])
        self.count += 1
        data, client = self.data(0x05), self.client_data('webauthn.get', options)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        credential = self.answer(clientDataJSON=text(client), authenticatorData=text(data), signature=text(signature), userHandle=text(self.handle))
        location, _ = self.post('/sign-in/passkey', self.form | {'credential': credential})
        assert location.startswith('/account/enter'), location


def processor():
    with open(f'/proc/{pid}/stat') as stat:
        words = stat.read().rsplit(')', 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf('SC_CLK_TCK')


def load(browser, until, done):
    while time.monotonic() < until:
        browser.sign_in()
        done.append(1)


def round_of(people, length):
    done, started, used = [], time.monotonic(), processor()
    threads = [threading.Thread(target=load, args=(browser, started + length, done)) for browser in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(done) / (time.monotonic() - started), len(done) / (processor() - used)


people = [Browser(number) for number in range(browsers)]
round_of(people, seconds)
a_second, a_processor_second = round_of(people, seconds)
print(f'sign-ins by passkey: {a_second:.0f} a second; {a_processor_second:.0f} a second of one core')
