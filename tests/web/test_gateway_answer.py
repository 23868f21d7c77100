"""How what an application answers is handed back to AWS, in every shape."""

import pytest

from authserver.web.gateway import answer
from tests.web.events import EVERY, SEVERAL, Application, alb, alb_single, http_2, read_answer, rest

JSON = ("Content-Type", "application/json")


def answered(shape, method="GET", **about):
    return read_answer(answer(Application(**about), shape(method, "/")))


@SEVERAL
def test_each_cookie_is_set_once(shape):
    cookies = [("Set-Cookie", f"{name}=1; Expires=Wed, 01 Jan 2030 00:00:00 GMT; Path=/; HttpOnly") for name in "abc"]
    _status, headers, _body = answered(shape, headers=[*cookies, JSON, ("Vary", "Origin"), ("vary", "Cookie")])
    assert [value for name, value in headers if name.lower() == "set-cookie"] == [value for _name, value in cookies]
    assert [value.strip() for name, values in headers if name.lower() == "vary" for value in values.split(",")] == ["Origin", "Cookie"]


def test_a_load_balancer_that_can_carry_one_cookie_gets_no_more():
    cookie = ("Set-Cookie", "a=1; Path=/")
    assert answered(alb_single, headers=[cookie, JSON])[:2] == (200, [("set-cookie", "a=1; Path=/"), JSON])
    status, headers, body = answered(alb_single, headers=[cookie, ("set-cookie", "b=1")])
    assert (status, [name for name, _value in headers if "cookie" in name.lower()]) == (500, [])
    assert b"lambda.multi_value_headers.enabled" in body


@EVERY
@pytest.mark.parametrize(
    ("kind", "body", "is_text"),
    [
        ("text/html; charset=utf-8", "ü".encode(), True),
        ("text/css", b"a{}", True),
        ("Application/JWT", b"a.b.c", True),
        ("application/token-introspection+jwt", b"a.b.c", True),
        ("application/jwk-set+json", b"{}", True),
        ("application/problem+json", b"{}", True),
        ("application/x-ndjson", b"{}\n", True),
        ("image/svg+xml", b"<svg/>", True),
        ("text/plain", b"\xff", False),
        ("image/png", b"abc", False),
        ("application/octet-stream", b"abc", False),
        ("", b"abc", False),
    ],
)
def test_texts_are_handed_back_as_texts_and_all_else_as_base64(shape, kind, body, is_text):
    written = answer(Application([body], [("Content-Type", kind)]), shape("GET", "/"))
    assert written["isBase64Encoded"] is not is_text
    assert read_answer(written)[2] == body


def test_what_is_compressed_is_no_text():
    assert answer(Application([b"abc"], [JSON, ("Content-Encoding", "br")]), rest("GET", "/"))["isBase64Encoded"]


@pytest.mark.spec("RFC 9110", "9.3.2")
@EVERY
def test_head_and_answers_without_content_have_no_body(shape):
    assert answered(shape, "HEAD")[2] == b""
    assert answered(shape, status="204 No Content")[::2] == (204, b"")
    assert answered(shape, status="304 Not Modified")[::2] == (304, b"")
    assert answer(Application([], []), shape("GET", "/"))["isBase64Encoded"] is False


def test_a_load_balancer_gets_the_reason_beside_the_status():
    assert answer(Application(status="404 NOT FOUND"), alb("GET", "/"))["statusDescription"] == "404 Not Found"
    assert answer(Application(status="499 -"), alb("GET", "/"))["statusDescription"] == "499"


class Stream:
    """An answer in parts, as of an export."""

    def __init__(self, parts):
        self.parts, self.taken, self.is_closed = iter(parts), 0, False

    def __iter__(self):
        return self

    def __next__(self):
        self.taken += 1
        return next(self.parts)

    def close(self):
        self.is_closed = True


@pytest.mark.parametrize(
    ("shape", "parts"),
    [(http_2, [b"x" * 1000_000] * 20), (rest, [b"x" * 6_250_000]), (rest, [b"\x01" * 1_200_000]), (alb, [b"x" * 1_000_000] * 2)],
    ids=["stream", "almost", "escaped", "balancer"],
)
def test_an_answer_that_lambda_cannot_hand_back_is_refused(shape, parts, caplog):
    caplog.set_level("INFO", "authserver.access")
    stream = Stream(parts)
    status, _headers, body = read_answer(answer(Application(stream), shape("GET", "/")))
    assert (status, stream.is_closed, stream.taken <= 8) == (500, True, True)
    assert b"larger than what Lambda can hand back" in body
    assert caplog.records[-1].status == 500


def test_an_answer_in_parts_is_put_together_and_closed():
    stream = Stream([b"a", b"", b"b"])
    assert read_answer(answer(Application(stream), rest("GET", "/")))[2] == b"ab"
    assert stream.is_closed
