"""What tests of the console begin with: operations as on the command line, people with sessions and grants, refused requests."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from authserver.admin.keys import rotate
from authserver.admin.operation import Operation
from authserver.admin.roles import give_role
from authserver.admin.users import change_user, disable_user, invite_user
from authserver.app import create_app
from authserver.runtime import Runtime
from authserver.store.audit import AuditEvent, list_events
from authserver.store.base import transaction
from authserver.store.figure import add_figures
from tests.factories import API, Made, Person, make_client, make_resource_server, make_user
from tests.http_client import Answer, InProcess
from tests.pages import Form, Page, read
from tests.relying_party import RelyingParty

MARKUP = "<script>alert(1)</script><img src=x onerror=alert(2)>"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@contextmanager
def operating(runtime: Runtime) -> Iterator[Operation]:
    """Operate as on the command line; what was done is committed at the end."""
    with transaction(runtime.engine) as db:
        yield Operation(db, runtime)


def events(runtime: Runtime, action: str) -> list[AuditEvent]:
    """The events of an action, newest first."""
    with transaction(runtime.engine) as db:
        return [event for event in list_events(db, 200) if event.action == action]


def browser(http: InProcess, user_agent: str) -> InProcess:
    """Another browser, which names itself like that."""
    other = http.fresh()
    plain = other.request

    def request(method: str, url: str, *, data: Any = None, headers: Any = None) -> Answer:
        return plain(method, url, data=data, headers={**(headers or {}), "User-Agent": user_agent})

    other.request = request  # type: ignore[method-assign]
    return other


def use(http: InProcess, made: Made, person: Person, *, user_agent: str = FIREFOX, **asked: Any) -> dict[str, Any]:
    """Sign a person in to an application in a browser of their own, and return the tokens."""
    party = RelyingParty(browser(http, user_agent), made, back=http.fresh())
    tokens: dict[str, Any] = party.redeem(party.authorize(person, **asked)).json
    return tokens


def form_to(page: Page, path: str) -> Form:
    """The form of a page that is sent to an address that ends so."""
    return next(form for form in page.forms if form.action.split("?")[0].endswith(path))


def has_form_to(page: Page, path: str) -> bool:
    """Tell whether there is one."""
    return any(form.action.split("?")[0].endswith(path) for form in page.forms)


def sent(http: InProcess, path: str, form: str | None = None, button: str | None = None, **values: Any) -> Answer:
    """Open a page and send its form."""
    return form_to(read(http.get(path)), form or path).submit(http, button, **values)


def flash(http: InProcess, answer: Answer) -> str:
    """Follow a redirect, and return the text of the page behind it."""
    assert answer.status == 303, read(answer).text
    return read(http.get(str(answer.location))).text


def count_figures(runtime: Runtime, **counts: dict[str, int]) -> None:
    """Count as the processes do: `tokens={"refresh_token": 3}`, now."""
    flat = {(name, label): number for name, labels in counts.items() for label, number in labels.items()}
    with transaction(runtime.engine) as db:
        add_figures(db, flat, runtime.now(), runtime.settings.audit_lifetime)


def next_page(page: Page) -> str | None:
    """The address of the page of a list behind this one."""
    return next((link for link in page.links if "page=" in link and "#" not in link), None)


def fill(live: Any) -> list[str]:
    """Give a server what a busy one has of people, keys and mistakes, with names that take room; return the pages to look at."""
    runtime, http = live.runtime, InProcess(create_app(live.runtime), live.issuer)
    make_resource_server(runtime)
    shop = make_client(runtime, "spa", client_id="shop", client_name=f"A shop with a rather long name {MARKUP}", apis=[API])
    claims = {"name": f"Ida Rhodes {MARKUP}", "email_verified": True}
    more: dict[str, Any] = {"roles": ["editor"], "groups": ["staff"], "attributes": {"department": {"name": "sales", "floor": 3}}}
    ida = make_user(runtime, "ida.with.a.rather.long.address@some.subdomain.example.net", claims=claims, **more)
    for user_agent in (FIREFOX, MARKUP, ""):
        use(http, shop, ida, user_agent=user_agent, scope="openid offline_access read write")
    party, long = RelyingParty(http.fresh(), shop), "https://a-rather-long-host-name.of-a-subdomain.example.com/with/a/path/that/goes/on"
    mistakes = [{"redirect_uri": f"{shop.redirect_uri}/"}, {"redirect_uri": f"{long}/{MARKUP}"}, {"client_id": "nobody"}, {"scope": MARKUP}]
    refused = [party.begin(**asked).answer.headers["X-Request-Id"] for asked in mistakes]
    _operate(runtime, ida)
    hours = {"authorization_code": 400, "refresh_token": 90_000, "client_credentials": 12_345}
    count_figures(runtime, tokens=hours, sign_ins={"ok": 500, "refused": 20, "limited": 3}, refusals=dict.fromkeys(map(str, range(9)), 4))
    return _pages(ida, refused)


def _operate(runtime: Runtime, ida: Person) -> None:
    with operating(runtime) as operation:
        invited = [invite_user(operation, f"person-number-{number:02}@example.net", {"name": "Person"}).user for number in range(60)]
        for role, user in zip(("support", "admin", "auditor", "owner"), invited, strict=False):
            give_role(operation, user, role)
        disable_user(operation, invited[-1].subject)
        change_user(operation, ida.subject, {"groups": ["staff", "editors"], "name": "Ida Rhodes, renamed"})
        rotate(operation, ("RS256",), announce=True)


def _pages(ida: Person, refused: list[str]) -> list[str]:
    one = f"/admin/users/{ida.subject}"
    lists = ["users?q=person", "users?q=nobody", "sessions", f"sessions?user={ida.email}", "grants?client_id=shop", "audit", "failures"]
    return [
        *("/admin", "/admin?period=30d", "/admin/keys", "/admin/keys/rotate"),
        *(f"/admin/{path}" for path in lists),
        *(f"{one}{part}" for part in ("", "/sessions", "/access", "/log", "/danger")),
        *(f"/admin/failures/{identifier}" for identifier in refused),
    ]
