"""JSON Merge Patch (RFC 7396): the examples of its appendix, and what holds for every patch."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authserver.web.api.merge_patch import changes, merge

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from("abc"), JSON, max_size=3)


@pytest.mark.spec("RFC 7396", "A")
@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
)
def test_the_examples_of_the_appendix(target: Any, patch: Any, result: Any) -> None:
    assert merge(target, patch) == result


@given(target=JSON, patch=JSON)
def test_a_patch_that_is_applied_twice_does_no_more(target: Any, patch: Any) -> None:
    once = merge(target, patch)
    assert merge(once, patch) == once


@given(document=OBJECTS, patch=OBJECTS)
def test_changes_are_what_the_patch_names_as_it_leaves_them(document: dict[str, Any], patch: dict[str, Any]) -> None:
    merged, before = merge(document, patch), dict(document)
    assert changes(document, patch) == {name: merged.get(name) for name in patch}
    assert document == before
