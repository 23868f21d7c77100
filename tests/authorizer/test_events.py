"""Every event shape, answered as API Gateway wants it; and events that are none."""

import pytest

from authserver.authorizer.refusal import Unauthorized, Undecided
from tests.authorizer import events, forge
from tests.authorizer.events import SHAPES, STAGE, http_1, http_2, rest_request, rest_token, websocket

FLAT = {
    "sub": "248289761001",
    "client_id": "app-1",
    "scope": "read write",
    "iss": forge.ISSUER,
    "jti": "a-jti",
    "exp": str(forge.NOW + 600),
}
each_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
raising = pytest.mark.parametrize("shape", [SHAPES[name] for name in events.RAISING], ids=events.RAISING)


def effect(answer):
    (statement,) = answer["policyDocument"]["Statement"]
    return statement["Effect"], statement["Resource"].removeprefix(STAGE)


@pytest.mark.parametrize("name", ["REST TOKEN", "REST REQUEST", "HTTP 1.0", "WebSocket"])
def test_a_good_token_gives_a_policy_for_the_whole_stage_and_flat_texts(gate, name):
    assert gate().ask(forge.token(), SHAPES[name]) == {
        "principalId": "248289761001",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": f"{STAGE}/*"}],
        },
        "context": FLAT,
    }


def test_http_api_2_gets_the_same_policy_with_values_as_they_are(gate):
    answer = gate(context="roles").ask(forge.token(roles=["editor"]), http_2)
    assert effect(answer) == ("Allow", "/*")
    assert answer["context"] == {**FLAT, "exp": forge.NOW + 600, "roles": ["editor"]}


def test_a_simple_response_is_two_members(gate):
    simple = gate(simple_responses="true")
    assert simple.ask(forge.token(), http_2) == {"isAuthorized": True, "context": {**FLAT, "exp": forge.NOW + 600}}
    assert simple.ask(forge.token(exp=1), http_2) == {"isAuthorized": False, "context": {}}
    assert effect(simple.ask(forge.token(), rest_token)) == ("Allow", "/*")


def test_chosen_claims_are_one_text_each_where_rest_demands_it(gate):
    chosen = gate(context="roles tenant admin nothing")
    context = chosen.ask(forge.token(roles=["a b", "c"], tenant="t", admin=True), rest_request)["context"]
    assert context == {**FLAT, "roles": '["a b","c"]', "tenant": "t", "admin": "true"}


@raising
@pytest.mark.parametrize(
    "presented", ["", "Bearer", "Bearer ", "Basic YTpi", "DPoP {}", "{}", "Bearer {} {}", "Bearer {}, Bearer {}", " Bearer {}"]
)
def test_what_is_not_one_bearer_token_is_401(gate, shape, presented):
    checked = gate()
    with pytest.raises(Unauthorized, match=r"^Unauthorized$"):
        checked.authorizer.decide(shape(presented.format(forge.token(), forge.token())))
    assert checked.because == "no bearer token"


def test_401_is_the_exact_text_that_lambda_hands_to_api_gateway(gate):
    with pytest.raises(Unauthorized) as raised:
        gate().ask(forge.token(exp=1))
    assert str(raised.value) == "Unauthorized"
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


@pytest.mark.parametrize("shape", [http_1, http_2])
def test_an_http_api_denies_with_a_policy_or_raises_where_that_is_set(gate, shape):
    assert effect(gate().ask(forge.token(exp=1), shape)) == ("Deny", "/*")
    with pytest.raises(Unauthorized, match=r"^Unauthorized$"):
        gate(http_api_raises="true").ask(forge.token(exp=1), shape)


@each_shape
def test_missing_scopes_are_403(gate, shape):
    checked = gate(scopes="read admin")
    assert effect(checked.ask(forge.token(), shape)) == ("Deny", "/*")
    assert effect(checked.ask(forge.token(scope="admin read more"), shape)) == ("Allow", "/*")
    assert effect(checked.ask(forge.token(scope=None), shape)) == ("Deny", "/*")
    assert effect(checked.ask(forge.token(scope="read\u00a0admin read\tadmin"), shape)) == ("Deny", "/*")


@pytest.mark.spec("RFC 9110", "11.1")
@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer  "])
def test_the_scheme_is_in_any_case(gate, scheme):
    assert gate().authorizer.decide(rest_token(f"{scheme} {forge.token()}"))["principalId"]


@pytest.mark.parametrize("shape", [rest_request, http_1, http_2, websocket])
@pytest.mark.parametrize("other", ["Bearer other", f"Bearer {forge.token()}"], ids=["other", "same"])
def test_a_repeated_authorization_header_is_refused(gate, shape, other):
    event = shape(f"Bearer {forge.token()}")
    event["headers"]["AUTHORIZATION"] = other
    checked = gate(http_api_raises="true")
    with pytest.raises(Unauthorized):
        checked.authorizer.decide(event)
    assert checked.because == "a header is repeated"


@pytest.mark.parametrize("several", [["Bearer a", "Bearer b"], [], "Bearer a", None, ["Bearer other"]])
def test_headers_that_disagree_are_refused(gate, several):
    event = rest_request(f"Bearer {forge.token()}")
    event["multiValueHeaders"]["Authorization"] = several
    with pytest.raises(Unauthorized):
        gate().authorizer.decide(event)


@pytest.mark.parametrize("headers", [None, [], "x", {}, {"Authorization": None}, {"Authorization": ["Bearer a"]}])
def test_headers_that_are_missing_or_of_another_shape_are_refused(gate, headers):
    event = rest_request(f"Bearer {forge.token()}")
    event["headers"] = event["multiValueHeaders"] = headers
    with pytest.raises((Unauthorized, Undecided)):
        gate().authorizer.decide(event)


def test_an_answer_is_refused_where_another_header_is_what_it_is_cached_by(gate):
    checked = gate(http_api_raises="true")
    for shape, sources in ((http_2, ["abc"]), (http_1, "abc")):
        event = {**shape(f"Bearer {forge.token()}"), "identitySource": sources}
        with pytest.raises(Unauthorized):
            checked.authorizer.decide(event)
        assert checked.because == "answers are cached by something else than the Authorization header"


@pytest.mark.parametrize("sources", [None, [], ["GET /orders", "Bearer {}"]])
def test_identity_sources_may_be_none_or_several(gate, sources):
    token = forge.token()
    event = {**http_2(f"Bearer {token}"), "identitySource": sources and [source.format(token) for source in sources]}
    assert effect(gate().authorizer.decide(event)) == ("Allow", "/*")


def test_a_browsers_websocket_brings_its_token_as_a_protocol(gate):
    event = websocket("")
    del event["headers"]["Authorization"], event["multiValueHeaders"]["Authorization"]
    event["headers"]["Sec-WebSocket-Protocol"] = f"bearer, {forge.token()}"
    assert effect(gate().authorizer.decide(event)) == ("Allow", "/*")
    event["headers"]["Sec-WebSocket-Protocol"] = f"chat, {forge.token()}"
    with pytest.raises(Unauthorized):
        gate().authorizer.decide(event)
    event["type"], event["requestContext"], event["httpMethod"] = "REQUEST", {}, "GET"
    event["headers"]["Sec-WebSocket-Protocol"] = f"bearer, {forge.token()}"
    with pytest.raises(Unauthorized):
        gate().authorizer.decide(event)


@pytest.mark.parametrize(
    "event",
    [
        None,
        [],
        "x",
        {},
        {"type": "TOKEN"},
        {"type": "REQUEST"},
        {"type": "REQUEST", "version": "3.0"},
        {"type": "JWT", "methodArn": f"{STAGE}/GET/"},
        {"type": "TOKEN", "methodArn": "*", "authorizationToken": "x"},
        {"type": "TOKEN", "methodArn": "arn:aws:execute-api:*:123456789012:*/*/GET/", "authorizationToken": "x"},
        {"type": "TOKEN", "methodArn": "arn:aws:execute-api:eu-west-1:123456789012:abc/*/GET/", "authorizationToken": "x"},
        {"type": "TOKEN", "methodArn": "arn:aws:s3:::bucket/GET/x", "authorizationToken": "x"},
        {"type": "TOKEN", "methodArn": 5, "authorizationToken": "x"},
        {"type": ["TOKEN"], "methodArn": f"{STAGE}/GET/", "authorizationToken": "x"},
        {"version": "2.0", "requestContext": {"http": {"method": "GET"}}},
    ],
)
def test_what_is_no_event_of_an_authorizer_is_undecided(gate, event):
    with pytest.raises(Undecided):
        gate().authorizer.decide(event)


@pytest.mark.parametrize(
    "arn", ["arn:aws-cn:execute-api:cn-north-1:123456789012:abc/$default", "arn:aws-us-gov:execute-api:us-gov-west-1:123456789012:a/b-c_d"]
)
def test_other_partitions_and_the_default_stage_are_understood(gate, arn):
    event = {**rest_token(f"Bearer {forge.token()}"), "methodArn": f"{arn}/GET/x"}
    assert gate().authorizer.decide(event)["policyDocument"]["Statement"][0]["Resource"] == f"{arn}/*"


def test_a_fault_of_ours_is_undecided_and_tells_nothing(gate):
    checked = gate()
    checked.authorizer.keys.find = lambda kid: 1 / 0
    token = forge.token()
    with pytest.raises(Undecided) as raised:
        checked.ask(token)
    assert str(raised.value) == checked.because == "ZeroDivisionError"
    assert raised.value.__suppress_context__
