"""kill -9 of workers under load: nothing acknowledged is lost, no spent code is still live. And the checker can tell."""

import http.client
import itertools
import json
import os
import random
import secrets
import signal
import threading
import time
from datetime import timedelta

import pytest

from authserver.crypto.digest import digest
from authserver.identity.session import begin
from authserver.oauth.grants import authorization_code
from authserver.store.authorization_code import insert_code
from authserver.store.base import Database, new_id, transaction
from tests.factories import make_client, make_user
from tests.faults.ledger import Client, Ledger, Ticket, faults_of
from tests.http_client import FORM, encode
from tests.relying_party import TOKEN, challenge_of

KILLS = 20
CLIENTS = 4
pytestmark = pytest.mark.slow


def make_tickets(runtime, number):
    """Put codes into the database, each of a session that began just now; nobody has more families than one may have."""
    made, tickets = make_client(runtime, "spa", id_token_signed_response_alg="ES256"), {}
    for _ in range(0, number, 50):
        person = make_user(runtime)
        with transaction(runtime.engine) as db:
            _, session = begin(db, runtime, person.user, acr="1", amr=["pwd"], previous=None)
            for _ in range(min(number, 50)):
                ticket = make_ticket(db, runtime.now(), made, session)
                tickets[ticket.code] = ticket
    return made, tickets


def make_ticket(db, now, made, session):
    """Put one code into the database."""
    code, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    values = {"client_id": made.client_id, "user_id": session.user_id, "session_id": session.id, "redirect_uri": made.redirect_uri}
    bound = {"code_challenge": challenge_of(verifier), "nonce": None, "scope": ("offline_access",), "resources": (), "claims": {}}
    facts = {"authenticated_at": now, "acr": "1", "amr": ["pwd"], "expires_at": now + timedelta(hours=1)}
    insert_code(db, {"digest": digest(code), "grant_id": new_id(secrets.token_bytes(16)), **values, **bound, **facts})
    form = {"grant_type": "authorization_code", "client_id": made.client_id, "redirect_uri": made.redirect_uri}
    return Ticket(code, {**form, "code": code, "code_verifier": verifier})


def poster(port, client_id):
    """A function that posts to a server on loopback over a connection of its own."""
    kept: list[http.client.HTTPConnection] = []

    def post(form):
        try:
            if not kept:
                kept.append(http.client.HTTPConnection("127.0.0.1", port, timeout=10))
            kept[0].request("POST", TOKEN, encode({"client_id": client_id, **form}), {"Content-Type": FORM})
            response = kept[0].getresponse()
            return response.status, json.loads(response.read())
        except (OSError, http.client.HTTPException, ValueError):
            for connection in kept:
                connection.close()
            kept.clear()
            time.sleep(0.01)
            return None

    return post


def in_process(http_, client_id):
    """The same, to the application in this process."""

    def post(form):
        answer = http_.fresh().post(TOKEN, {"client_id": client_id, **form})
        return answer.status, answer.json

    return post


def load(ledger, tickets, posts, until):
    """Start the clients; return what waits for them."""
    shared, lock = iter(tickets.values()), threading.Lock()

    def take():
        while True:
            with lock:
                ticket = next(shared, None)
            if ticket is None:
                return
            yield ticket

    threads = [threading.Thread(target=Client(ledger, post).work, args=(take(), until), daemon=True) for post in posts]
    for thread in threads:
        thread.start()
    return threads


@pytest.mark.databases("sqlite", "postgresql")
@pytest.mark.spec("RFC 6749", "4.1.2")
def test_nothing_acknowledged_is_lost_and_no_spent_code_lives_when_workers_are_killed(serve):
    server = serve(workers=2, refresh_token_leeway=timedelta(seconds=60))
    made, tickets = make_tickets(server.runtime, 2000)
    ledger, stop = Ledger(), threading.Event()
    threads = load(ledger, tickets, [poster(server.port, made.client_id) for _ in range(CLIENTS)], stop.is_set)
    try:
        for _ in range(KILLS):
            wait_for_progress(server, ledger)
            time.sleep(random.uniform(0, 0.1))
            kill_one(server)
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    server.wait(supervised=True)
    assert ledger.unanswered() >= KILLS // 2, "the kills were felt"
    assert faults_of(ledger, tickets, patient(server, poster(server.port, made.client_id))) == []


def patient(server, post):
    """Post until there is an answer: the server may only now notice the last kill."""

    def insist(form):
        end = time.monotonic() + 30
        while time.monotonic() < end:
            got = post(form)
            if got is not None:
                return got
            server.supervise()
        return None

    return insist


def wait_for_progress(server, ledger):
    """Wait until some more was acknowledged; meanwhile do what a supervisor does."""
    before, end = ledger.answered(), time.monotonic() + 30
    while ledger.answered() < before + 10:
        assert time.monotonic() < end, "the server does not come back"
        server.supervise()
        time.sleep(0.01)


def kill_one(server):
    """Kill a worker at random."""
    for pid in random.sample(workers := server.workers_running(), len(workers))[:1]:
        os.kill(pid, signal.SIGKILL)


def run(http, runtime, number=40, until=lambda: False):
    """A load without kills against the application in this process; return what the checker says."""
    made, tickets = make_tickets(runtime, number)
    ledger = Ledger()
    post = in_process(http, made.client_id)
    for thread in load(ledger, tickets, [post] * 2, until):
        thread.join(30)
    return faults_of(ledger, tickets, post)


def test_the_checker_finds_nothing_in_a_sound_server(http, runtime):
    assert run(http, runtime) == []


def test_the_checker_finds_a_code_that_is_not_spent(http, runtime, monkeypatch):
    monkeypatch.setattr(authorization_code, "consume", lambda *_: True)
    ids = itertools.count()
    monkeypatch.setattr(authorization_code, "insert_grant", renamed(authorization_code.insert_grant, ids))
    assert "a spent code is still live" in run(http, runtime)


def renamed(insert_grant, ids):
    """Let the planted bug give a new grant each time, as a server without single use would."""

    def insert(db, values):
        insert_grant(db, {**values, "id": next(ids).to_bytes(16, "big")})

    return insert


def test_the_checker_finds_an_answer_that_was_not_durable(http, runtime, monkeypatch):
    commit, turns = Database.commit, itertools.count()
    made, tickets = make_tickets(runtime, 40)
    ledger, post = Ledger(), in_process(http, made.client_id)
    with monkeypatch.context() as planted:
        planted.setattr(Database, "commit", lambda db: commit(db) if next(turns) % 7 else db.rollback())
        Client(ledger, post).work(iter(tickets.values()), lambda: False)
    assert any("was lost" in fault or "still live" in fault for fault in faults_of(ledger, tickets, post))


def test_the_checker_finds_two_successors(http, runtime, monkeypatch):
    from authserver.oauth.grants import refresh_token

    make, turns = refresh_token.make, itertools.count()
    monkeypatch.setattr(refresh_token, "make", lambda server, grant, generation: make(server, grant, generation) + "A" * (next(turns) % 2))
    made, tickets = make_tickets(runtime, 1)
    ledger, post = Ledger(), in_process(http, made.client_id)
    (ticket,) = tickets.values()
    client = Client(ledger, post, refreshes=0)
    token = client.persist("redeem", ticket.code, ticket.form)
    for _ in range(2):
        client.persist("refresh", token, {"grant_type": "refresh_token", "refresh_token": token})
    assert "a refresh token has two successors" in faults_of(ledger, tickets, post)
