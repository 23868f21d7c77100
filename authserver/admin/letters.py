"""Letters to users, in their language: texts with a subject in the first line, from templates/email/."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from string import Template
from urllib.parse import urlsplit

from authserver.runtime.folders import find_folder

FOLDER = "templates"
LANGUAGES = ("en", "de")


@dataclass(frozen=True, slots=True)
class Draft:
    """What a letter says."""

    subject: str
    text: str


def draft(name: str, issuer: str, locale: str, values: Mapping[str, str]) -> Draft:
    """Write the letter `name` (invite, reset) in the language of `locale`, or in English where we do not speak it."""
    tag = locale.split("-")[0].lower()
    template = _template(name, tag if tag in LANGUAGES else LANGUAGES[0])
    written = template.substitute(service=urlsplit(issuer).netloc, **values)
    head, _, text = written.partition("\n\n")
    return Draft(head.removeprefix("Subject: "), text)


@cache
def _template(name: str, language: str) -> Template:
    return Template((find_folder(FOLDER) / "email" / language / f"{name}.txt").read_text(encoding="utf-8"))
