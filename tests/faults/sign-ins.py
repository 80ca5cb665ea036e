"""sign-ins.py URL COUNT BEGUN: so many sign-ins by password at once, each on a connection of its own; the file BEGUN appears when all have
been sent. Each must be answered: 200, or 503 with Retry-After."""
import base64, collections, http.client, sys, threading, urllib.parse

url, many, begun = urllib.parse.urlsplit(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
form = urllib.parse.urlencode({'grant_type': 'password', 'username': 'alice', 'password': 'alice-Wonderland-42', 'scope': 'items:read'})
headers = {'Content-Type': 'application/x-www-form-urlencoded', 'Authorization': 'Basic ' + base64.b64encode(b'demo-password:demo-password-secret').decode()}
sent = threading.Barrier(many + 1)
answers = collections.Counter()


def sign_in():
    try:
        connection = http.client.HTTPConnection(url.netloc, timeout=60)
        connection.request('POST', '/connect/token', form, headers)
        sent.wait(60)
        answer = connection.getresponse()
        body = answer.read()
        what = f'{answer.status}' if answer.status != 503 or answer.getheader('Retry-After') else '503 without Retry-After'
        if answer.status == 200 and b'access_token' not in body:
            what = '200 without a token'
    except (OSError, http.client.HTTPException) as broken:
        what = f'no answer ({type(broken).__name__})'
    answers[what] += 1


threads = [threading.Thread(target=sign_in) for _ in range(many)]
for thread in threads:
    thread.start()
sent.wait(60)
open(begun, 'w').close()
for thread in threads:
    thread.join()
print(f'of {many} sign-ins: ' + ', '.join(f'{number} answered {what}' for what, number in sorted(answers.items())))
sys.exit(0 if set(answers) <= {'200', '503'} and answers['200'] else 1)
