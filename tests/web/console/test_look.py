"""The console's stylesheet: small, with the colours of the sign-in pages, and without anything that templates do not use."""

import gzip
import re
from pathlib import Path

from authserver.web.pages import STATIC, TEMPLATES

MOST_BYTES = 24 * 1024
SHARED = ("accent", "on-accent", "card", "text", "quiet", "line", "soft", "alert", "alert-soft", "notice-soft", "font")


def properties(name):
    """The custom properties of a stylesheet: those of light, then those of dark."""
    blocks = re.findall(r":root \{(.*?)\}", (STATIC / name).read_text(), re.DOTALL)
    return [dict(re.findall(r"--([\w-]+): ([^;]+);", block)) for block in blocks[:2]]


def test_it_is_small():
    sheets = b"".join((STATIC / name).read_bytes() for name in ("console.css", "console-figures.css"))
    assert len(gzip.compress(sheets, 9)) < MOST_BYTES


def test_it_has_the_colours_of_the_sign_in_pages():
    ours, theirs = properties("console.css"), properties("style.css")
    for scheme in (0, 1):
        for name in SHARED:
            assert ours[scheme].get(name) == theirs[scheme].get(name), name


def test_every_class_is_used():
    names = set(
        re.findall(r"\.([a-z][\w-]*)", re.sub(r"/\*.*?\*/|url\([^)]*\)|\d\.\d", "", (STATIC / "console.css").read_text(), flags=re.DOTALL))
    )
    written = "".join(path.read_text() for path in [*Path(TEMPLATES, "console").rglob("*.html"), STATIC / "console.js"])
    assert {name for name in names if not re.search(rf"[\"' ]{re.escape(name)}[\"' ]", written)} == set()


def test_no_template_has_a_style_or_a_script_of_its_own():
    for path in Path(TEMPLATES, "console").rglob("*.html"):
        text = path.read_text()
        assert " style=" not in text, path
        assert not re.search(r"\son[a-z]+=", text), path
        assert not re.search(r"<script(?! type=\"module\" src=)", text), path
