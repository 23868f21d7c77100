"""Mail goes out after the commit, is tried again with growing pauses, by one process at a time, and is given up in the end."""

import threading
from contextlib import suppress
from datetime import timedelta

import pytest
from sqlalchemy import select

from authserver.admin import outbox
from authserver.admin.errors import Conflict
from authserver.admin.janitor import sweep
from authserver.admin.links import mail_reset
from authserver.admin.operation import Operation
from authserver.admin.outbox import deliver, send_letter, send_now
from authserver.admin.users import invite_user
from authserver.runtime.mail import NotSent, make_mail
from authserver.store.base import transaction
from authserver.store.outbox import outbox as table
from tests.factories import make_settings, make_test_runtime, make_user
from tests.smtp_server import mail_server

SENDER = "Example <login@example.com>"


@pytest.fixture
def box():
    with mail_server() as server:
        yield server


@pytest.fixture
def mailing(runtime, clock, box):
    """A runtime that sends to `box`."""
    url = f"smtp://127.0.0.1:{box.port}"
    made = make_test_runtime(make_settings(database_url=runtime.settings.database_url, smtp_url=url, mail_from=SENDER), clock)
    yield made
    made.engine.dispose()


@pytest.fixture
def written(mailing, clock):
    """A letter in the outbox, committed and not sent; returns its id."""

    def write(to="ada@example.com", lifetime=timedelta(days=1), **rest):

        with transaction(mailing.engine) as db:
            values = {"link": "https://login.example.com/password?token=abc"}
            send_letter(Operation(db, mailing), "invite", to, values, expires_at=clock.now() + lifetime, **rest)
        return db.outgoing[0]

    return write


def waiting(runtime):
    with transaction(runtime.engine) as db:
        return db.execute(select(table)).mappings().all()


@pytest.mark.databases
def test_a_letter_is_sent_at_once_and_leaves_nothing_behind(mailing, box, written):
    send_now(mailing, [written()])
    (letter,) = box.letters
    assert letter["Subject"] == "Your account at login.example.com"
    assert "\nhttps://login.example.com/password?token=abc\n" in letter.get_content().replace("\r", "")
    assert "until 2026-12-02 12:00 UTC" in letter.get_content()
    assert waiting(mailing) == []


def test_what_waits_is_sealed(mailing, written):
    written()
    (row,) = waiting(mailing)
    assert b"ada" not in bytes(row["sealed"])
    assert b"token" not in bytes(row["sealed"])


def test_a_letter_of_a_change_that_was_not_committed_is_never_sent(mailing, box, clock):

    class Undo(Exception):
        pass

    with suppress(Undo), transaction(mailing.engine) as db:
        send_letter(Operation(db, mailing), "invite", "ada@example.com", {"link": "x"}, expires_at=clock.now() + timedelta(days=1))
        raise Undo
    assert len(db.outgoing) == 1
    send_now(mailing, db.outgoing)
    assert deliver(mailing) == {"letters_sent": 0, "letters_failed": 0, "letters_given_up": 0}
    assert box.letters == []


def test_what_fails_is_tried_again_with_growing_pauses(mailing, box, written, clock):
    box.refuse["MAIL"] = "451 busy"
    send_now(mailing, [written()])
    tried = []
    for minute in range(1, 200):
        clock.advance(minutes=1)
        before = len(box.said)
        deliver(mailing)
        if len(box.said) > before:
            tried.append(minute)
    assert tried == [5, 15, 35, 75, 135, 195]
    del box.refuse["MAIL"]
    clock.advance(hours=1)
    assert deliver(mailing)["letters_sent"] == 1
    assert box.letters[0]["Date"] == "Tue, 01 Dec 2026 12:00:00 +0000", "it says when it was written, and is the same letter"


def test_it_is_given_up_when_it_expires_and_the_audit_log_says_so(mailing, box, written, clock, events):
    box.refuse["MAIL"] = "451 busy"
    send_now(mailing, [written(lifetime=timedelta(minutes=12), subject="some-user")])
    clock.advance(minutes=6)
    assert deliver(mailing) == {"letters_sent": 0, "letters_failed": 0, "letters_given_up": 1}
    assert waiting(mailing) == []
    (event,) = events("mail.give_up")
    assert (event.subject, event.outcome, event.because) == ("some-user", "failed", "the mail server refused it (451)")


def test_what_has_expired_is_not_sent_any_more(mailing, box, written, clock):
    written(lifetime=timedelta(minutes=1))
    clock.advance(minutes=2)
    assert deliver(mailing)["letters_sent"] == 0
    assert sweep(mailing)["outbox"] == 1
    assert box.letters == []


def test_an_address_that_is_refused_for_good_is_tried_once(mailing, box, written, clock, events):
    box.refuse["RCPT"] = "550 no such user"
    send_now(mailing, [written()])
    assert waiting(mailing) == []
    assert len(events("mail.give_up")) == 1


@pytest.mark.databases
def test_of_many_processes_one_sends(mailing, box, written):
    identifier = written()
    barrier = threading.Barrier(6)

    def send():
        barrier.wait()
        send_now(mailing, [identifier])
        deliver(mailing)

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(box.letters) == 1


def test_a_process_that_dies_while_it_sends_leaves_the_letter_for_later(mailing, box, written, clock):
    identifier = written()

    class Killed(BaseException):
        pass

    def die(_letter):
        raise Killed

    dying = type(mailing)(**{name: getattr(mailing, name) for name in mailing.__dataclass_fields__} | {"mail": die})
    with pytest.raises(Killed):
        send_now(dying, [identifier])
    assert deliver(mailing)["letters_sent"] == 0, "it may be on its way"
    clock.advance(minutes=5)
    assert deliver(mailing)["letters_sent"] == 1


def test_a_letter_sealed_by_a_key_that_is_gone_is_given_up_and_stops_no_other(mailing, box, written, clock, runtime):
    written(lifetime=timedelta(minutes=4))
    other = make_test_runtime(make_settings(database_url=runtime.settings.database_url, secret_key=("B" * 43,)), clock)
    assert deliver(other) == {"letters_sent": 0, "letters_failed": 0, "letters_given_up": 1}
    other.engine.dispose()
    written("bob@example.com")
    assert deliver(mailing)["letters_sent"] == 1


def test_the_janitor_delivers_and_more_than_a_page_of_letters_goes(mailing, box, written, monkeypatch):
    monkeypatch.setattr(outbox, "AT_ONCE", 3)
    for number in range(8):
        written(f"person{number}@example.com")
    assert sweep(mailing)["letters_sent"] == 8
    assert {letter["To"] for letter in box.letters} == {f"person{number}@example.com" for number in range(8)}


@pytest.mark.parametrize(
    ("locale", "subject"),
    [("de-DE", "Ihr Konto bei login.example.com"), ("fr", "Your account at login.example.com"), ("", "Your account at login.example.com")],
)
def test_a_letter_is_in_the_language_of_its_reader(mailing, box, written, locale, subject):
    send_now(mailing, [written(locale=locale)])
    assert box.letters[0]["Subject"] == subject


def test_invitations_and_resets_are_mailed_where_mail_is_set_up(mailing, box, act, clock):

    with transaction(mailing.engine) as db:
        invited = invite_user(Operation(db, mailing), "eve@example.com", {"locale": "de"})
    assert invited.link is None
    send_now(mailing, db.outgoing)
    with transaction(mailing.engine) as db:
        mail_reset(Operation(db, mailing), make_user(mailing, "ada@example.com").user)
    send_now(mailing, db.outgoing)
    invitation, reset = box.letters
    assert (invitation["To"], invitation["Subject"]) == ("eve@example.com", "Ihr Konto bei login.example.com")
    assert (reset["To"], reset["Subject"]) == ("ada@example.com", "Set a new password at login.example.com")
    assert "https://login.example.com/password?token=" in reset.get_content()


def test_without_mail_a_link_is_shown_and_a_reset_refused(act, runtime):
    assert act(invite_user, "eve@example.com", {}).link.startswith("https://login.example.com/password?token=")
    with pytest.raises(Conflict, match="AUTHSERVER_SMTP_URL"):
        act(mail_reset, make_user(runtime).user)


def test_no_letter_is_lost_where_nothing_can_send(runtime, written, clock):
    written()
    assert deliver(runtime)["letters_failed"] == 1
    with pytest.raises(NotSent):
        make_mail("", "")(None)
