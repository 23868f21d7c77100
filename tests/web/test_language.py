"""Texts: every one is translated, and each person reads their own language."""

import re
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po
from hypothesis import given
from hypothesis import strategies as st

from authserver.runtime import Runtime
from authserver.web.language import FOLDER, LANGUAGES, catalog, compile_catalog, read_entries
from authserver.web.pages import TEMPLATES
from tests.factories import make_client
from tests.http_client import InProcess
from tests.pages import follow, read
from tests.relying_party import RelyingParty

KEYWORDS = {"gettext": None, "ngettext": (1, 2), "N_": None, "_": None}
WEB = Path(FOLDER).parent
Message = str | tuple[str, str]


@cache
def extracted() -> frozenset[Message]:
    """Every text that a person may see."""
    found = [*extract_from_dir(WEB, [("**.py", "python")], keywords=KEYWORDS)]
    found += extract_from_dir(TEMPLATES, [("**.html", "jinja2.ext.babel_extract")], keywords=KEYWORDS)
    return frozenset(message for _, _, message, _, _ in found)


def read_catalog(language: str) -> Catalog:
    return read_po(BytesIO((FOLDER / language / "LC_MESSAGES" / "messages.po").read_bytes()), locale=language, abort_invalid=True)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated_and_no_translation_is_left_over(language: str) -> None:
    translated = {message.id: message.string for message in read_catalog(language) if message.id}
    assert extracted() - translated.keys() == frozenset(), "add these to the catalog"
    assert translated.keys() - extracted() == set(), "nobody says this any more: remove it"
    empty = [identifier for identifier, text in translated.items() if not all(text if isinstance(text, tuple) else (text,))]
    assert empty == []
    assert not [message.id for message in read_catalog(language) if message.fuzzy and message.id]


@pytest.mark.parametrize("language", LANGUAGES)
def test_translations_keep_places_and_markup(language: str) -> None:
    for message in filter(lambda message: message.id, read_catalog(language)):
        for one, other in zip(*((text if isinstance(text, tuple) else (text,)) for text in (message.id, message.string)), strict=True):
            assert sorted(re.findall(r"%\(\w+\)s|%d|<[^>]*>", one)) == sorted(re.findall(r"%\(\w+\)s|%d|<[^>]*>", other)), one


@pytest.mark.parametrize("language", LANGUAGES)
def test_our_reading_of_a_catalog_is_babels(language: str) -> None:
    ours = catalog(language)
    for message in read_catalog(language):
        if isinstance(message.id, tuple):
            assert [ours.ngettext(*message.id, number) for number in (1, 2)] == list(message.string)
        elif message.id:
            assert ours.gettext(message.id) == message.string


def test_english_reads_as_it_is_written() -> None:
    assert all(message.string == message.id for message in read_catalog("en") if message.id)


TEXTS = st.text(st.sampled_from('aä€😀 %(x)s"\\\n\t<'), min_size=1).filter(str.strip)


@given(st.dictionaries(TEXTS, TEXTS, max_size=8))
def test_any_catalog_that_babel_writes_is_read_back(texts: dict[str, str]) -> None:
    written, file = Catalog(locale="de"), BytesIO()
    for identifier, text in texts.items():
        written.add(identifier, text)
    write_po(file, written)
    entries = read_entries(file.getvalue().decode())
    assert {identifier: text for identifier, text in entries.items() if identifier} == texts
    import gettext

    compiled = gettext.GNUTranslations(BytesIO(compile_catalog(entries)))
    assert all(compiled.gettext(identifier) == text for identifier, text in texts.items())


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        (None, "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("fr,de;q=0.5", "de"),
        ("fr", "en"),
        ("en-GB,de;q=0.9", "en"),
        ("*", "en"),
        (";;", "en"),
    ],
)
def test_the_browser_says_which_language(http: InProcess, accepted: str | None, language: str) -> None:
    answer = http.get("/", headers={"Accept-Language": accepted} if accepted else {})
    assert f'<html lang="{language}">' in answer.text
    assert {"en": "For developers", "de": "Für Entwickler"}[language] in read(answer).text


@pytest.mark.spec("OpenID Connect Core", "3.1.2.1")
@pytest.mark.parametrize(
    ("locales", "language"), [("de", "de"), ("fr-CA de-CH en", "de"), ("en de", "en"), ("fr", "de"), ("../../etc", "de")]
)
def test_the_clients_wish_comes_before_the_browsers(http: InProcess, runtime: Runtime, locales: str, language: str) -> None:
    begun = RelyingParty(http, make_client(runtime)).begin(ui_locales=locales)
    target = follow(http, begun.answer).url
    assert f'<html lang="{language}">' in http.get(target, headers={"Accept-Language": "de"}).text
