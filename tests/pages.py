"""Reading pages as a browser without scripts does: their forms, links and texts."""

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlencode, urljoin

from tests.http_client import Answer, Http

VOID = {"input", "meta", "link", "br", "img", "hr"}


@dataclass
class Button:
    name: str
    value: str
    text: str = ""


@dataclass
class Form:
    """A form: what it would send, and its buttons."""

    action: str
    method: str
    fields: dict[str, Any] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    buttons: list[Button] = field(default_factory=list)

    def named(self, kind: str) -> str | None:
        """The name of the first field of that type."""
        return next((name for name, found in self.types.items() if found == kind), None)

    def submit(self, http: Http, button: str | None = None, **values: Any) -> Answer:
        """Send the form, pressing the button of that value (the first one by default)."""
        pressed = next((b for b in self.buttons if button in (None, b.value)), None)
        assert pressed or button is None, f"no button {button}: {self.buttons}"
        data = {**self.fields, **({pressed.name: pressed.value} if pressed and pressed.name else {}), **values}
        origin = "/".join(http.issuer.split("/")[:3])
        headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
        if self.method == "get":
            return http.get(f"{self.action}?{urlencode(data, doseq=True)}")
        return http.post(self.action, data, headers=headers)


class _Reader(HTMLParser):
    def __init__(self, base: str) -> None:
        super().__init__()
        self.base = base
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.words: list[str] = []
        self._form: Form | None = None
        self._button: Button | None = None
        self._text = ""  # the name of the textarea or select that is being read

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        match tag:
            case "form":
                self._form = Form(urljoin(self.base, given.get("action", "")), given.get("method", "get").lower())
                self.forms.append(self._form)
            case "a" if "href" in given:
                self.links.append(urljoin(self.base, given["href"]))
            case "input" | "button" | "textarea" | "select":
                self._control(tag, given)
            case "option" if self._form and (self._form.fields.get(self._text) is None or "selected" in given):
                self._form.fields[self._text] = given.get("value", "")

    def _control(self, tag: str, given: dict[str, str]) -> None:
        form = self._form or Form("", "")
        kind = given.get("type", {"button": "submit", "input": "text"}.get(tag, tag))
        if kind == "submit":
            self._button = Button(given.get("name", ""), given.get("value", ""))
            form.buttons.append(self._button)
        elif "name" in given and (kind not in ("checkbox", "radio") or "checked" in given):
            self._keep(form, kind, given["name"], None if tag == "select" else given.get("value", ""))
            self._text = given["name"] if tag in ("textarea", "select") else ""

    def _keep(self, form: Form, kind: str, name: str, value: str | None) -> None:
        """Keep a field; of check boxes of one name, all that are ticked."""
        before = form.fields.get(name)
        form.fields[name] = value if before is None or kind != "checkbox" else [*([before] if isinstance(before, str) else before), value]
        form.types[name] = kind

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        if tag == "button":
            self._button = None
        if tag in ("textarea", "select"):
            self._text = ""

    def handle_data(self, data: str) -> None:
        if self._button is not None:
            self._button.text += data.strip()
        if self._text and self._form is not None and self._form.types.get(self._text) == "textarea":
            self._form.fields[self._text] = data.removeprefix("\n")
        if data.strip():
            self.words.append(" ".join(data.split()))


@dataclass(frozen=True)
class Page:
    """A page that a person would see."""

    answer: Answer
    forms: list[Form]
    links: list[str]
    text: str

    def form(self, kind: str | None = None) -> Form:
        """The first form, or the first with a field of that type."""
        return next(form for form in self.forms if kind is None or form.named(kind))

    @property
    def asks_for_password(self) -> bool:
        return any(form.named("password") for form in self.forms)


def read(answer: Answer) -> Page:
    """Read an answer as a page."""
    reader = _Reader(answer.url)
    reader.feed(answer.text)
    return Page(answer, reader.forms, reader.links, " ".join(reader.words))


def follow(http: Http, answer: Answer) -> Answer:
    """Follow redirects for as long as they stay with the issuer; what leads away is returned as it is."""
    for _ in range(10):
        target = answer.location
        if target is None or not (target + "/").startswith(http.issuer + "/"):
            return answer
        answer = http.get(target)
    raise AssertionError("redirected in circles")
