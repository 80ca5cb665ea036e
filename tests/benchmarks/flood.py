"""flood.py URL BODY CONNECTIONS SECONDS: password grants from many connections that honour Retry-After, each for the user whose number
ends the body. Prints what they got."""
import http.client
import sys
import threading
import time
from collections import Counter
from urllib.parse import urlsplit

url, body, connections, seconds = urlsplit(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
end = time.monotonic() + seconds
results, waits, slowest, lock = Counter(), Counter(), [0.0], threading.Lock()


def worker(user):
    connection = http.client.HTTPConnection(url.hostname, url.port, timeout=60)
    while time.monotonic() < end:
        started = time.monotonic()
        connection.request("POST", url.path, body + str(user), {"Content-Type": "application/x-www-form-urlencoded"})
        answer = connection.getresponse()
        answer.read()
        retry = answer.headers.get("Retry-After")
        with lock:
            results[answer.status] += 1
            slowest[0] = max(slowest[0], time.monotonic() - started)
            if answer.status == 503:
                waits[retry] += 1
        if answer.status == 503:
            time.sleep(min(float(retry or 0), max(0.0, end - time.monotonic())))


threads = [threading.Thread(target=worker, args=(user,)) for user in range(connections)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(f"200: {results.pop(200, 0)}, 503: {results.pop(503, 0)} (Retry-After {'/'.join(map(str, sorted(waits, key=str))) or '-'}),"
      f" other: {sum(results.values())}, slowest {slowest[0]:.1f} s")
