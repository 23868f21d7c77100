"""Keys: their lives on a timeline, rotating them, and revoking them in an emergency."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, url_for

from authserver.admin.errors import Conflict, Invalid
from authserver.admin.keys import key_documents, rotate
from authserver.crypto.key_ring import REFRESH
from authserver.web.console.commands import call, command
from authserver.web.console.entries import Choice, DocumentForm, Several, Text
from authserver.web.console.frame import done, show
from authserver.web.console.timeline import Life, Moment, Timeline, timelines
from authserver.web.console.words import in_words
from authserver.web.forms import read_form
from authserver.web.operators import may, operation, permit

routes = Blueprint("keys", __name__)

UNPROCESSABLE, CONFLICT = 422, 409
REVOKE = "revoke"
USES: Mapping[str, tuple[str, str]] = {
    "RS256": ("RS256", "RSA with SHA-256: ID tokens, and tokens of APIs that do not ask for another"),
    "PS256": ("PS256", "RSA-PSS with SHA-256, for APIs and applications that ask for it"),
    "ES256": ("ES256", "Elliptic curve P-256, for APIs and applications that ask for it"),
    "Ed25519": ("Ed25519", "Edwards curve, for APIs and applications that ask for it"),
    REFRESH: ("Refresh tokens", "A symmetric key that never leaves this server, so that it is in no JWKS"),
}
MOMENTS = {"announced": "Announced", "signing": "Signs from", "retired": "Retires", "removed": "Removed"}


class RotationForm(DocumentForm):
    """Which keys to rotate, and how."""

    algs = Several("Algorithms")
    how = Choice("How")
    confirmation = Text("Confirmation")


@routes.get("/admin/keys")
@permit("keys:read")
def index() -> Response:
    """Show the life of every key."""
    op = operation()
    now = op.now()
    lines = timelines(key_documents(op), now, op.runtime.settings.signing_key_lifetime)
    values = {
        "lines": [_line(line, now) for line in lines],
        "rotate_url": url_for("keys.rotate_page") if may("keys:write") else "",
        "jwks_url": f"{op.runtime.settings.issuer}/.well-known/jwks.json",
    }
    return show("console/keys/keys.html", values, title="Keys", command=command("keys", "list"), call=call("keys"))


@routes.get("/admin/keys/rotate")
@permit("keys:write", fresh=True)
def rotate_page() -> Response:
    """Ask which keys, and how."""
    form = RotationForm()
    form.fill({"algs": _algs(), "how": "announce"})
    return _ask(form)


@routes.post("/admin/keys/rotate")
@permit("keys:write", fresh=True)
def rotate_now() -> Response:
    """Make new keys: announced first, signing at once, or in the place of all others."""
    form = read_form(RotationForm, again=url_for("keys.rotate_page"))
    try:
        return done(url_for("keys.index"), _rotate(form.values()))
    except Invalid as fault:
        form.refuse(fault)
        return _ask(form, UNPROCESSABLE)
    except Conflict as fault:
        form.refuse(Invalid("how", f"cannot be: {fault}"))
        return _ask(form, CONFLICT)


def _rotate(values: Mapping[str, Any]) -> str:
    """Rotate, and say what happens now. Raises Invalid, Conflict."""
    how, algs = values["how"], values["algs"]
    if not algs:
        raise Invalid("algs", "must be at least one")
    if how not in HOW:
        raise Invalid("how", "must be one of those below")
    if how == REVOKE and values["confirmation"] != REVOKE:
        raise Invalid("confirmation", f"must be the word {REVOKE}, since this signs everybody out")
    if how != REVOKE and values["confirmation"]:
        raise Invalid("confirmation", "is for the emergency alone: empty it, or choose the emergency above")
    rotated = rotate(operation(), tuple(algs), announce=how == "announce", revoke=how == REVOKE)
    return f"{', '.join(USES[alg][0] for alg in rotated)}: {HOW[how][2]}"


HOW = {
    "announce": (
        "Announce the new key, and let it sign later",
        "As the server does by itself: every verifier learns of the key before it sees a token of it.",
        "the new key is announced, and signs when all caches know it.",
    ),
    "now": (
        "Let the new key sign at once",
        "Verifiers that keep old keys refuse new tokens until they fetch again. Old tokens stay good.",
        "the new key signs from now on; every process knows it within a minute.",
    ),
    REVOKE: (
        "Emergency: revoke all keys before",
        "For keys that have leaked. Every token and sign-in that they made is refused, as soon as verifiers fetch again.",
        "all keys before are revoked, and a new one signs; every process knows it within a minute.",
    ),
}
"""How keys can be rotated: what the choice says, what it means, and what is said afterwards."""


def _ask(form: RotationForm, status: int = 200) -> Response:
    form["algs"].options = [(alg, *USES.get(alg, (alg, ""))) for alg in _algs()]
    form["how"].options = [(name, label, hint) for name, (label, hint, _) in HOW.items()]
    options = {"alg_options": form["algs"].options, "how_options": form["how"].options, "lead": _wait()}
    words = command("keys", "rotate", options=[("--announce", "")])
    same = call("keys/rotations", method="POST", body={"announce": True})
    return show("console/keys/rotate.html", {"form": form, **options}, title="Rotate keys", status=status, command=words, call=same)


def _wait() -> str:
    return f"An announced key signs after {in_words(operation().runtime.settings.signing_key_announcement)} and more."


def _algs() -> list[str]:
    return sorted({document["alg"] for document in key_documents(operation())})


def _line(line: Timeline, now: datetime) -> dict[str, Any]:
    title, text = USES.get(line.alg, (line.alg, ""))
    return {
        "alg": line.alg,
        "title": title,
        "text": text,
        "now": line.now,
        "lives": [_life(life, now) for life in line.lives],
    }


def _life(life: Life, now: datetime) -> dict[str, Any]:
    moments = [_moment(moment, now) for moment in life.moments]
    dated = [f"{moment['label'].lower()} {moment['at']:%Y-%m-%d %H:%M}" for moment in moments if moment["at"]]
    return {
        "kid": life.kid,
        "state": life.state,
        "phases": life.phases,
        "moments": moments,
        "text": f"Timeline of {life.kid}, which is {life.state}: {', '.join(dated)}",
    }


def _moment(moment: Moment, now: datetime) -> dict[str, Any]:
    note = "" if moment.at is None else f"{in_words(now - moment.at)} ago" if moment.has_come else f"in {in_words(moment.at - now)}"
    label = "Retired" if moment.name == "retired" and moment.has_come else MOMENTS[moment.name]
    shown = {"name": moment.name, "label": label, "at": moment.at, "has_come": moment.has_come}
    return shown | {"note": f"{note}, as planned" if moment.is_planned else note}
