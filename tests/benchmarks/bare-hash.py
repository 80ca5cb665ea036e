"""bare-hash.py SECONDS: PBKDF2-HMAC-SHA512 computations a second with the provider's count, by the same OpenSSL, and nothing else."""
import hashlib
import sys
import time

seconds, count, started = float(sys.argv[1]), 0, time.monotonic()
while time.monotonic() - started < seconds:
    hashlib.pbkdf2_hmac("sha512", b"bench-Password-4242", b"0123456789abcdef", 210_000, 32)
    count += 1
print(f"{count / (time.monotonic() - started):.2f}")
