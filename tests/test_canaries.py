"""No secret, token, code, cookie or password is found in logs, error answers, metrics or the database, at any log level."""

import itertools
import re
from pathlib import Path
from urllib.parse import quote, quote_plus, urlencode

import pytest
from sqlalchemy import select

from authserver.store import metadata
from authserver.store.base import transaction
from tests.clock import RealTime
from tests.factories import API, make_client, make_key, make_resource_server, make_user
from tests.http_client import OverNetwork
from tests.pages import read
from tests.relying_party import TOKEN, RelyingParty

PASSWORD = "canary-password-öß-7f3a"
WRONG_PASSWORD = "canary-wrong-password-19c2"
SECRET = "canary-client-secret-41d6-0123456789abcdef"
WRONG_SECRET = "canary-wrong-secret-88e1"
METRICS_TOKEN = "canary-metrics-token-5b07"
TOKENS = ("access_token", "refresh_token", "id_token", "code")
SCOPE = "openid profile email offline_access read"


class Recorder(OverNetwork):
    """Remembers every answer, and every secret that it brought."""

    def __init__(self, issuer, answers=None, secrets=None):
        super().__init__(issuer)
        self.answers = [] if answers is None else answers
        self.secrets = set() if secrets is None else secrets

    def fresh(self):
        return Recorder(self.issuer, self.answers, self.secrets)

    def request(self, method, url, **rest):
        answer = super().request(method, url, **rest)
        self.answers.append(answer)
        self.secrets.update(cookie.value for cookie in self.session.cookies if cookie.value)
        if answer.headers.get("Content-Type", "").startswith("application/json") and answer.status == 200:
            self.secrets.update(value for name, value in answer.json.items() if name in TOKENS)
        if "code=" in (answer.location or ""):
            self.secrets.add(answer.query["code"])
        if "resume=" in (answer.location or ""):
            self.secrets.add(answer.query["resume"])
        return answer


def walk_everything(server, http):
    """Every flow, well and badly; whatever is secret is in the recorder afterwards."""
    runtime = server.runtime
    make_resource_server(runtime)
    make_resource_server(runtime, "https://opaque.example.com", token_format="opaque")
    person = make_user(runtime, password=PASSWORD)
    apis = [API, "https://opaque.example.com"]
    web = make_client(runtime, "web", secret=SECRET, apis=apis, scope=SCOPE, token_endpoint_auth_method="client_secret_post")
    rp = RelyingParty(http, web, back=http.fresh(), clock=RealTime())
    people_flows(rp, person)
    spa_flows(RelyingParty(http.fresh(), make_client(runtime, "spa", scope=SCOPE, apis=apis), back=http.fresh()), person)
    service = RelyingParty(http, make_client(runtime, "service", key=make_key(), apis=apis), clock=RealTime())
    service_flows(service, http)


def people_flows(rp, person):
    page = read(rp.http.get(rp.begin(scope=SCOPE).answer.location))
    form = page.form("password")
    form.submit(rp.http, email=person.email, password=WRONG_PASSWORD)
    form.submit(rp.http, email="nobody@example.net", password=WRONG_PASSWORD)
    callback = rp.authorize(person, scope=SCOPE)
    rp.http.secrets.update({callback.verifier, form.fields.get("csrf_token", "") or callback.verifier})
    rp.redeem(callback, code_verifier="w" * 64)
    tokens = rp.redeem(callback).json
    rp.redeem(callback)
    tokens = rp.redeem(rp.authorize(person, scope=SCOPE)).json
    rp.introspect(tokens["access_token"])
    rp.introspect(tokens["refresh_token"])
    rp.userinfo(tokens["access_token"])
    rp.back.post("/oidc/userinfo", {"access_token": tokens["access_token"]})
    rp.userinfo(tokens["id_token"])
    rp.refresh(tokens["refresh_token"], scope="more than was granted")
    rp.revoke(tokens["access_token"])
    rp.http.get("/oidc/logout?" + urlencode({"id_token_hint": tokens["id_token"]}))
    rp.back.post(TOKEN, {"grant_type": "refresh_token", "client_id": rp.made.client_id, "client_secret": WRONG_SECRET})
    rp.back.post(f"{TOKEN}?" + urlencode({"client_secret": WRONG_SECRET, "refresh_token": tokens["refresh_token"]}), {})


def spa_flows(rp, person):
    tokens = rp.sign_in(person, scope=SCOPE, response_mode="form_post")
    second = rp.refresh(tokens["refresh_token"]).json
    third = rp.refresh(second["refresh_token"]).json
    rp.refresh(tokens["refresh_token"])
    rp.refresh(third["refresh_token"])
    rp.refresh(third["refresh_token"] + "A")
    opaque = rp.sign_in(person, scope="openid offline_access", resource="https://opaque.example.com")
    rp.userinfo(opaque["access_token"])
    rp.revoke(opaque["refresh_token"])


def service_flows(rp, http):
    headers, own = rp.credentials()
    http.secrets.add(own["client_assertion"])
    for _ in range(2):
        rp.back.post(TOKEN, {"grant_type": "client_credentials", **own}, headers=headers)
    rp.client_credentials(resource="https://opaque.example.com")
    rp.back.get("/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"})
    rp.back.get("/metrics", headers={"Authorization": f"Bearer {WRONG_SECRET}"})
    rp.back.get("/oauth2/authorize?client_id=nobody&code=" + WRONG_SECRET)


def needles(secrets):
    """Each secret as it is, encoded for a URL, and the part of a token that makes it valid."""
    known = {PASSWORD, WRONG_PASSWORD, SECRET, WRONG_SECRET, METRICS_TOKEN, *secrets}
    found = {shape for secret in known for shape in (secret, quote(secret), quote_plus(secret), ascii(secret)[1:-1])}
    found |= {secret.rsplit(".", 1)[1] for secret in secrets if secret.count(".") >= 2}
    return {needle for needle in found if len(needle) >= 12}


def hits(text, secrets):
    return [re.sub(r"[A-Za-z0-9]", "x", needle[6:]) and needle[:6] + "…" for needle in needles(secrets) if needle in text]


def dump(server):
    """Everything in the database as text, and the file itself where there is one."""
    with transaction(server.runtime.engine) as db:
        rows = itertools.chain.from_iterable(db.execute(select(table)).all() for table in metadata.sorted_tables)
        text = "\n".join(map(repr, rows))
    path = Path(server.settings.database_url.removeprefix("sqlite:///"))
    files = path.parent.glob(path.name + "*") if server.settings.database_url.startswith("sqlite:") else []
    return text + "\n".join(file.read_bytes().decode("latin-1") for file in files)


def check(serve, level):
    server = serve(log_level=level, metrics_token=METRICS_TOKEN)
    http = Recorder(server.issuer)
    walk_everything(server, http)
    assert len(http.secrets) > 20, "the flows brought secrets"
    metrics = [answer for answer in http.answers if answer.url.endswith("/metrics") and answer.status == 200]
    assert len(metrics) == 1
    database = dump(server)
    server.stop()
    log = server.log.read_text()
    assert (level not in ("DEBUG", "INFO")) or "sign_in" in log
    assert hits(log, http.secrets) == []
    assert hits(database, http.secrets) == []
    for answer in [*metrics, *(answer for answer in http.answers if answer.status >= 400)]:
        assert hits(answer.text, http.secrets - marks_of(answer)) == [], answer.url


def marks_of(answer):
    """The form's own mark may be in its own page."""
    return {value for form in read(answer).forms for value in form.fields.values()}


@pytest.mark.databases
def test_no_secret_is_logged_shown_or_stored_at_debug(serve):
    check(serve, "DEBUG")


@pytest.mark.parametrize("level", ["INFO", "WARNING", "ERROR"])
def test_no_secret_is_logged_shown_or_stored_at_other_levels(serve, level):
    check(serve, level)


def test_the_search_finds_what_is_there():
    assert hits("…" + SECRET, set())
    assert hits("password=" + quote(PASSWORD), set())
    assert hits("sig: " + "s" * 43, {"header.payload." + "s" * 43})
    assert hits("nothing", {"x" * 40}) == []
