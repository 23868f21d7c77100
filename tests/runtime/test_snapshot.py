"""Before a snapshot is taken (SnapStart), nothing is drawn, opened or connected: two functions restored from it would share it."""

import json
import subprocess
import sys

from authserver.runtime.keys import key_id

PROGRAM = """
import json, os, random, secrets, sys

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.ciphers import aead

seen = []
NETWORK = ("socket.connect", "socket.getaddrinfo", "socket.bind", "sqlite3.connect", "subprocess.Popen", "os.fork")
sys.addaudithook(lambda event, _arguments: seen.append(event) if event in NETWORK else None)

def spy(owner, name):
    original = getattr(owner, name)
    def called(*arguments, **named):
        seen.append(name)
        return original(*arguments, **named)
    setattr(owner, name, called)

spy(os, "urandom")
spy(secrets, "token_bytes")
for name in ("_urandom", "randint", "choice", "random", "getrandbits"):
    spy(random, name)
for name in ("getrandbits", "randbytes", "random"):
    spy(random.SystemRandom, name)
# OpenSSL's own generator is in the process's memory and would be copied with it: keys and their parsing are what uses it.
for owner, name in ((aead, "AESGCM"), (rsa, "generate_private_key"), (ec, "generate_private_key"), (serialization, "load_der_private_key")):
    spy(owner, name)

from authserver.wsgi import app

import threading
assert threading.active_count() == 1
before = list(seen)

from authserver.crypto.sealing import unseal
from authserver.web.context import EXTENSION
runtime = app.extensions[EXTENSION]
runtime.new_secret(1)
for attempt in (lambda: unseal(runtime.keys, "x", b"01234567" + bytes(40)), runtime.engine.connect):
    try:
        attempt()
    except Exception:
        pass
print(json.dumps([before, seen]))
"""

ENVIRONMENT = {
    "AWS_LAMBDA_FUNCTION_NAME": "authserver",
    "AWS_REGION": "eu-central-1",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/",
    "AUTHSERVER_ISSUER": "https://login.example.com",
    "AUTHSERVER_DATABASE_URL": "postgresql://u@127.0.0.1:9/x",
    "AUTHSERVER_DATABASE_PASSWORD": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:database",
    "AUTHSERVER_SECRET_KEY": f"kms:89abcdef:{'A' * 160} {'A' * 43} arn:aws:ssm:eu-central-1:123456789012:parameter/key",
    "AUTHSERVER_SMTP_URL": "arn:aws:ssm:eu-central-1:123456789012:parameter/smtp",
    "AUTHSERVER_MAIL_FROM": "login@example.com",
}


def run(plain_id):
    program = PROGRAM.replace("01234567", plain_id)
    done = subprocess.run([sys.executable, "-c", program], env=ENVIRONMENT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    before, after = json.loads(done.stdout)
    return before, set(after)


def test_what_is_built_before_the_snapshot_draws_opens_and_connects_nothing():
    before, after = run(key_id(bytes(32)))
    assert before == []
    assert {"token_bytes", "_urandom", "AESGCM", "socket.connect"} <= after, "which proves that the spies see"
