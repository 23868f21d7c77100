"""HTTP events of AWS, in every shape, answered by the application: what is logged, what is none, the whole server behind them."""

import copy
import logging
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.web.gateway import answer, is_http
from tests.authorizer import events as authorizer_events
from tests.factories import ISSUER, make_client, make_user
from tests.http_client import FORM, InProcess
from tests.relying_party import TOKEN, RelyingParty
from tests.web.events import EVERY, SEVERAL, SHAPES, Application, Front, alb_single, read_answer, rest, url


def test_an_application_that_fails_is_a_fault_of_ours(caplog):
    def broken(environ, start_response):
        raise RuntimeError("secret value")

    def broken_midway(environ, start_response):
        start_response("200 OK", [])(b"written the old way")
        yield b"a"
        raise RuntimeError("secret value")

    for application in (broken, broken_midway):
        status, _headers, body = read_answer(answer(application, rest("GET", "/")))
        assert (status, b"server_error" in body) == (500, True)
    assert "secret value" not in caplog.text
    assert {record.because for record in caplog.records if record.levelname == "ERROR"} == {"RuntimeError"}


def test_one_line_is_logged_for_a_request_without_its_query(caplog):
    caplog.set_level(logging.DEBUG)
    application = Application(headers=[("X-Request-Id", "abc123")])
    answer(application, url("POST", "/a%0Ab%1b/" + "x" * 300 + "?login_hint=ada", [("Cookie", "c=1")], b"password=p"))
    (record,) = caplog.records
    assert (record.name, record.levelname, record.method, record.status, record.answered_as) == (
        "authserver.access",
        "INFO",
        "POST",
        200,
        "abc123",
    )
    assert record.path.startswith("/a?b?/xxx")
    assert len(record.path) == 200
    assert not {"login_hint", "c=1", "password"} & set(str(vars(record)).split())


@pytest.mark.parametrize(
    "event",
    [
        *(
            shape("Bearer x")
            for shape in (authorizer_events.rest_token, authorizer_events.rest_request, authorizer_events.http_1, authorizer_events.http_2)
        ),
        {},
        None,
        "GET /",
        [],
        {"version": "2.0"},
        {"version": "2.0", "requestContext": {"http": {}}, "type": "REQUEST"},
        {"requestContext": {"eventType": "CONNECT", "routeKey": "$connect"}, "headers": {}},
        {"command": "authserver.jobs.migrate"},
        {"Records": []},
    ],
)
def test_what_an_authorizer_or_anything_else_is_asked_is_no_request(event):
    assert not is_http(event)
    with pytest.raises(ValueError, match="not an HTTP event"):
        answer(Application(), event)


# The whole server behind each of them


@pytest.fixture
def through(app):
    return lambda shape: InProcess(Front(lambda event: answer(app, event), shape), ISSUER)


@SEVERAL
def test_a_user_signs_in_and_a_client_refreshes_through_any_gateway(shape, through, runtime, clock):
    http = through(shape)
    made = make_client(runtime, "web", secret="a secret: 100 % of + it, and more", scope="openid offline_access")
    rp, state = RelyingParty(http, made, clock=clock), "a+b %2F& ü"
    callback = rp.authorize(make_user(runtime), scope="openid offline_access", state=state)
    assert callback.parameters["state"] == state
    tokens = rp.redeem(callback).json
    assert rp.refresh(tokens["refresh_token"]).status == 200
    assert rp.userinfo(tokens["access_token"]).json["sub"]
    rp.verify(tokens["id_token"])


def test_a_load_balancer_that_carries_one_cookie_serves_machines_and_says_what_to_change_to_people(through, runtime, clock):
    http = through(alb_single)
    service = RelyingParty(http, make_client(runtime, "service"), clock=clock)
    assert service.client_credentials().status == 200
    rp = RelyingParty(http, make_client(runtime, "web"), clock=clock)
    answers = [rp.begin().answer]
    assert "lambda.multi_value_headers.enabled" in rp.go_on(answers[0], make_user(runtime)).text


@EVERY
def test_pages_styles_and_preflights_come_through_any_gateway(shape, through, runtime):
    http = through(shape)
    make_client(runtime, "spa", redirect_uris=["https://app.example.org/"])
    assert http.get("/static/style.css").headers["Content-Type"].startswith("text/css")
    preflight = http.request("OPTIONS", TOKEN, headers={"Origin": "https://app.example.org", "Access-Control-Request-Method": "POST"})
    assert (preflight.status, preflight.headers["Access-Control-Allow-Origin"]) == (200, "https://app.example.org")
    assert http.request("HEAD", "/livez").body == b""
    assert http.post(TOKEN, b"x" * 70_000).status == 413


@pytest.mark.spec("RFC 9110", "5.3")
@SEVERAL
def test_two_credentials_or_two_types_of_content_are_refused(shape, app, runtime):
    made = make_client(runtime, "service", secret="s" * 40)
    basic = ("Authorization", "Basic " + "c2VydmljZTpz".ljust(8, "="))
    form = urlencode({"grant_type": "client_credentials", "client_id": made.client_id}).encode()
    for headers, status in (
        ([basic, basic, ("Content-Type", FORM)], 401),
        ([("Content-Type", FORM), ("Content-Type", "application/json")], 400),
    ):
        refused, _headers, body = read_answer(answer(app, shape("POST", TOKEN, headers, form)))
        assert (refused, b"access_token" in body) == (status, False)
    refused, _headers, _body = read_answer(
        answer(app, shape("GET", "/oidc/userinfo", [("Authorization", "Bearer a"), ("Authorization", "Bearer b")]))
    )
    assert refused == 401


# Whatever comes


def parts(value, at=()):
    """Every place in an event."""
    yield at
    if isinstance(value, dict):
        for name in value:
            yield from parts(value[name], (*at, name))
    elif isinstance(value, list):
        for number in range(len(value)):
            yield from parts(value[number], (*at, number))


HEADERS = [("Host", "login.example.com"), ("Cookie", "a=1; b=2"), ("Content-Type", FORM), ("X-Forwarded-For", "192.0.2.1")]
EXAMPLES = {name: shape("POST", "/oauth2/token?a=1&b=%2B", HEADERS, b"grant_type=x") for name, shape in SHAPES.items()}
PLACES = [(name, place) for name, event in EXAMPLES.items() for place in parts(event) if place]
ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(), max_size=20),
    st.sampled_from(["\ud800", "\r\n", "\0", "/" * 5000, "%", "%ff", "=", "2.0", "1.0", "TOKEN", "*", "GET"]),
    st.lists(st.none() | st.text(max_size=5) | st.integers(), max_size=3),
    st.dictionaries(
        st.text(max_size=5) | st.sampled_from(["http", "elb", "identity", "sourceIp"]), st.none() | st.text(max_size=5), max_size=3
    ),
)


def changed(event, place, value):
    """An event with something else in a place, or (...) with nothing there."""
    event = copy.deepcopy(event)
    holder = event
    for name in place[:-1]:
        holder = holder[name]
    if value is ...:
        del holder[place[-1]]
    else:
        holder[place[-1]] = value
    return event


@pytest.fixture(scope="module")
def plain():
    return Application()


@given(st.lists(st.tuples(st.sampled_from(PLACES), st.just(...) | ODD), min_size=25, max_size=25))
def test_no_event_gives_anything_but_an_answer(plain, changes):
    for (name, place), value in changes:
        event = changed(EXAMPLES[name], place, value)
        if is_http(event):
            status, _headers, _body = read_answer(answer(plain, event))
            assert status in (200, 400)


@pytest.mark.parametrize("value", [..., None, "", 0, [], {}, "\ud800"], ids=repr)
def test_the_server_answers_whatever_is_missing(value, app):
    for name, place in PLACES:
        if name in ("rest", "http_2", "alb"):
            event = changed(EXAMPLES[name], place, value)
            assert not is_http(event) or read_answer(answer(app, event))[0] < 500
