"""What a request says, read strictly: its query, its JSON body, what it accepts (RFC 8259, RFC 9110 sections 8.3 and 12.5.1)."""

import json
import math
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from flask import request
from pydantic import BaseModel, ValidationError

from authserver.web.api import merge_patch
from authserver.web.api.answers import JSON, LINES
from authserver.web.api.models import Query
from authserver.web.api.preconditions import read_expected
from authserver.web.api.problems import Fault, Refused, point
from authserver.web.api.resource import Endpoint

MOST_FAULTS = 20
LONGEST_PART = 255
DEEPEST = 20
WORDS = {
    "extra_forbidden": "is not known here, or cannot be set",
    "missing": "must be given",
}

Model = TypeVar("Model", bound=BaseModel)


def read_arguments(endpoint: Endpoint) -> dict[str, Any]:
    """Return what an endpoint takes beside its path. Raises Refused."""
    query = read_query(endpoint.query or Query)
    arguments: dict[str, Any] = {} if endpoint.query is None else {"query": query}
    if endpoint.body is not None:
        arguments["body"] = read_body(endpoint.body, body_types(endpoint))
    if endpoint.conditional:
        arguments["expected"] = read_expected()
    return arguments


def body_types(endpoint: Endpoint) -> tuple[str, ...]:
    """Return the media types of the body that an endpoint takes."""
    return (merge_patch.MEDIA_TYPE, JSON) if endpoint.method == "PATCH" else (JSON,)


def answer_types(endpoint: Endpoint) -> tuple[str, ...]:
    """Return the media types of an endpoint's answers, the usual one first."""
    return (JSON, LINES) if endpoint.lines else (JSON,)


def check_acceptable(endpoint: Endpoint) -> None:
    """Refuse a request that accepts no form of the answer. Raises Refused."""
    if endpoint.answer is not None and request.accept_mimetypes and chosen_type(endpoint) is None:
        raise Refused("not-acceptable", f"This answer comes as {' or '.join(answer_types(endpoint))}.")


def wants_lines() -> bool:
    """Tell whether the caller prefers JSON lines."""
    return bool(request.accept_mimetypes) and request.accept_mimetypes.best_match((JSON, LINES)) == LINES


def chosen_type(endpoint: Endpoint) -> str | None:
    """Return the media type that the caller likes best of those there are."""
    return request.accept_mimetypes.best_match(answer_types(endpoint))


def check_path(parts: dict[str, str]) -> None:
    """Refuse a path with an id that cannot be one. Raises Refused."""
    for part in parts.values():
        if len(part) > LONGEST_PART or not part.isascii() or not part.isprintable():
            raise Refused("not-found")


def read_query(model: type[Model]) -> Model:
    """Read the query; each parameter once. Raises Refused."""
    repeated = [name for name, values in request.args.lists() if len(values) > 1]
    if repeated:
        raise Refused("invalid", faults=[Fault("must be given once", parameter=name[:100]) for name in repeated[:MOST_FAULTS]])
    return _check(model, request.args.to_dict(), lambda where, why: Fault(why, parameter=str(where[0])[:100]))


def read_body(model: type[Model], media_types: tuple[str, ...]) -> Model:
    """Read a JSON object. Raises Refused."""
    if request.mimetype not in media_types:
        offered = "Accept-Patch" if request.method == "PATCH" else "Accept-Post" if request.method == "POST" else "Accept"
        raise Refused(
            "unsupported-media-type", f"The body must be {' or '.join(media_types)}.", headers=[(offered, ", ".join(media_types))]
        )
    return _check(model, parse(request.get_data()), lambda where, why: Fault(why, pointer=point(*where)))


def parse(body: bytes) -> dict[str, Any]:
    """Parse a JSON object: UTF-8, no member twice, no number that JSON cannot say, no half of a character. Raises Refused."""
    try:
        value = json.loads(body.decode(), object_pairs_hook=_unrepeated, parse_constant=_refuse, parse_float=_finite)
        json.dumps(value, ensure_ascii=False).encode()
        faults = list(_with_nul(value, ()))
    except (ValueError, RecursionError):
        detail = f"The body must be JSON in UTF-8, with no member twice, and at most {DEEPEST} objects and lists inside each other."
        raise Refused("malformed-request", detail) from None
    if not isinstance(value, dict):
        raise Refused("malformed-request", "The body must be a JSON object.")
    if faults:
        raise Refused("invalid", faults=faults[:MOST_FAULTS])
    return value


def _with_nul(value: Any, place: tuple[str | int, ...]) -> Iterator[Fault]:
    """Find the texts with a character that databases cannot hold. ValueError for what is nested too deeply."""
    if len(place) > DEEPEST:
        raise ValueError("nested too deeply")
    match value:
        case str() if "\0" in value:
            yield Fault("must not contain the character U+0000", pointer=point(*place))
        case dict():
            for name, inner in value.items():
                yield from _with_nul(name, place)
                yield from _with_nul(inner, (*place, name))
        case list():
            for index, inner in enumerate(value):
                yield from _with_nul(inner, (*place, index))


def _check(model: type[Model], value: dict[str, Any], place: Callable[[tuple[str | int, ...], str], Fault]) -> Model:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        raise Refused("invalid", faults=[place(item["loc"], _word(item)) for item in found[:MOST_FAULTS]]) from None


def _word(item: Any) -> str:
    return WORDS.get(item["type"]) or str(item["msg"]).removeprefix("Value error, ").replace("Input should", "must")


def _unrepeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise ValueError("a member is repeated")
    return members


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is too large")
    return number
