"""A configuration file as values with their lines: what YAML would misread, repeat or blow up is refused, with the line."""

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.admin.configuration.source import DEEPEST, BadFile, read_source

FILE = "clients.yaml"


def read(text):
    return read_source(text if isinstance(text, bytes) else text.encode(), FILE)


def refusal(text):
    with pytest.raises(BadFile) as raised:
        read(text)
    return raised.value.why


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("true", True),
        ("false", False),
        ("0", 0),
        ("-12", -12),
        ("3600", 3600),
        ("1.5", 1.5),
        ("-0.25", -0.25),
        ("null", None),
        ("~", None),
        ("", None),
        ("plain text", "plain text"),
        ("'no'", "no"),
        ('"010"', "010"),
        ('"null"', "null"),
        ("!!str no", "no"),
        ("|\n  two\n  lines", "two\nlines\n"),
        ("1e5", "1e5"),
        ("y", "y"),
        ("=", "="),
        ("[a, 1, true]", ["a", 1, True]),
        ('{"json": [null, "is yaml"]}', {"json": [None, "is yaml"]}),
    ],
)
def test_what_nobody_misreads_is_taken(written, value):
    assert read(f"key: {written}\n").values == {"key": value}


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("no", 'key is false to YAML: write false, or "no" in quotes'),
        ("Off", 'key is false to YAML: write false, or "Off" in quotes'),
        ("yes", 'key is true to YAML: write true, or "yes" in quotes'),
        ("TRUE", 'write true, or "TRUE" in quotes'),
        ("010", 'a number, maybe another than it looks, to YAML: write "010" in quotes'),
        ("0x1F", 'write "0x1F" in quotes'),
        ("1:30", 'write "1:30" in quotes'),
        ("1_000", 'write "1_000" in quotes'),
        ("+1", 'write "+1" in quotes'),
        (".inf", 'write ".inf" in quotes'),
        ("2026-12-01", "key is a date to YAML"),
        ("NULL", "key is nothing to YAML"),
        ("!secret x", "has the tag !secret, which is not for this file"),
        ("!!python/object/apply:os.system [x]", "has the tag"),
        ("!!binary aGk=", "has the tag"),
        ("!!set {a}", "has the tag"),
        ("!!int '5'", "has the tag"),
        ("*nobody", "is not YAML: found undefined alias"),
        ("[a", "is not YAML"),
        ("a: b", "is not YAML"),
    ],
)
def test_what_yaml_reads_as_something_else_is_refused_with_its_line(written, says):
    said = refusal(f"first: 1\nkey: {written}\n")
    assert says in said
    assert said.startswith(f"{FILE}:2: ") or "is not YAML" in said


@pytest.mark.parametrize("name", ["no", "010", "2026-12-01", "1", "null", "1.5", "[a]"])
def test_a_name_that_is_no_text_is_refused(name):
    assert f"{FILE}:3: clients " in refusal(f"\nclients:\n  ? {name}\n  : x\n")


def test_a_secret_that_stands_in_the_file_is_not_repeated_in_the_error():
    assert "0123456701234567" not in refusal("clients:\n  shop:\n    secret: 0123456701234567\n")


def test_a_name_that_is_given_twice_is_refused_with_both_lines():
    assert refusal("clients:\n  shop: 1\n  till: 2\n  shop: 3\n") == f"{FILE}:4: clients.shop is given twice, first in line 2"


def test_anchors_and_merges_work_and_own_values_win():
    found = read("web: &web {kind: web, scope: a}\none:\n  <<: *web\n  scope: b\ntwo:\n  <<: [{kind: spa}, *web]\nthree: *web\n")
    assert found.values["one"] == {"kind": "web", "scope": "b"}
    assert found.values["two"] == {"kind": "spa", "scope": "a"}
    assert found.values["three"] == found.values["web"]
    assert "must have a mapping behind <<" in refusal("one:\n  <<: 5\n")


@pytest.mark.parametrize("loop", ["a: &a [*a]", "a: &a\n  b: *a\n", "a: &a\n  <<: *a\n"])
def test_an_alias_of_what_it_stands_in_is_refused(loop):
    assert "stands inside itself" in refusal(loop)


def test_aliases_that_multiply_are_refused_before_they_take_time_and_memory():
    names = "abcdefghij"
    bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{before}'] * 10)}]\n" for before, name in pairwise(names)
    )
    began = time.process_time()
    assert "grows without end" in refusal(bomb)
    assert time.process_time() - began < 2


def test_nesting_is_bounded_whatever_its_depth():
    assert read(f"a: {'[' * (DEEPEST - 1)}{']' * (DEEPEST - 1)}").values
    for text in ("[" * 200_000, "- " * 5000, "{a: " * 200_000):
        assert "nested more than 20 levels" in refusal(text)


def test_what_is_no_text_is_refused_with_the_line():
    assert refusal(b"a: 1\nb: \xff\n") == f"{FILE}:2: is not UTF-8"
    assert f"{FILE}:1: is not YAML" in refusal("a: \x00")
    assert f"{FILE}:3: a second document" in refusal("a: 1\n---\nb: 2\n")
    assert f"{FILE}:2: is not YAML" in refusal("a:\n\tb: 1\n")


def test_a_byte_order_mark_and_an_empty_file_are_no_mistake():
    assert read(b"\xef\xbb\xbfa: 1\n").values == {"a": 1}
    assert read("").values is None
    assert read("# nothing\n").values is None


def test_each_value_has_its_line_and_what_is_missing_that_of_what_it_is_missing_in():
    source = read("clients:\n  shop:\n    kind: spa\n    redirect_uris:\n      - https://a.example\n")
    assert source.place(("clients", "shop", "redirect_uris", 0)) == f"{FILE}:5"
    assert source.place(("clients", "shop", "client_name")) == f"{FILE}:2"
    assert source.place(("roles",)) == f"{FILE}:1"


@given(st.text(max_size=200) | st.binary(max_size=200))
def test_whatever_comes_is_read_or_refused_with_a_line(content):
    raw = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    try:
        said = f"{FILE}:1: {read(raw).values}"
    except BadFile as error:
        said = error.why
    assert said.startswith(f"{FILE}:")
