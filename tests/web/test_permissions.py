"""Every route of the admin application declares its permission, and opens to those who have it alone."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from werkzeug.routing import Rule

from authserver.admin.authority import GRANTED, PERMISSIONS, ROLES
from authserver.admin.operation import Operation
from authserver.admin.own import ensure_own
from authserver.admin.roles import give_role
from authserver.app import create_app
from authserver.runtime import Runtime
from authserver.store.base import transaction
from authserver.web.administration import create_admin_app
from authserver.web.mount import mounted
from authserver.web.operators import Need
from tests.administrators import sign_in_to_console
from tests.clock import Clock
from tests.factories import insert_keys, make_settings, make_test_runtime, make_user
from tests.http_client import InProcess
from tests.migrated import migrate
from tests.pages import read

OPEN = {"static", "sign_in.begin", "sign_in.callback", "sign_in.end", "api_page.openapi_json", "api_page.index"}
OPEN_TO_A_LINK = {"setup"}
READS = {"GET", "HEAD", "OPTIONS"}


def admin_routes() -> list[tuple[Rule, Need | None]]:
    """The routes with what they need, from an application that serves nobody."""
    app = create_admin_app(make_test_runtime(make_settings(database_url="sqlite:////nowhere/none.db"), Clock()))
    return [(rule, getattr(app.view_functions[rule.endpoint], "need", None)) for rule in app.url_map.iter_rules()]


ROUTES = admin_routes()


def name_of(route: tuple[Rule, Need | None]) -> str:
    rule = route[0]
    return f"{'|'.join(sorted((rule.methods or set()) - {'HEAD', 'OPTIONS'}))} {rule.rule}"


@pytest.mark.parametrize("route", ROUTES, ids=name_of)
def test_a_route_declares_its_permission(route: tuple[Rule, Need | None]) -> None:
    rule, need = route
    assert need is not None
    if need.permission is None:
        assert rule.endpoint in OPEN or rule.endpoint.split(".")[0] in OPEN_TO_A_LINK
    else:
        assert need.permission in PERMISSIONS
        is_reading = (rule.methods or set()) <= READS
        assert is_reading or need.permission.endswith(":write"), "what changes something needs more than reading"


@cache
def mark_of(http: InProcess) -> str:
    """The mark of a browser's forms, which holds for all of them."""
    return next((form.fields["csrf_token"] for form in read(http.get("/admin/api")).forms if "csrf_token" in form.fields), "")


def filled(rule: Rule) -> str:
    """The path of a rule, with the id of nothing in each place of one."""
    values = dict.fromkeys(rule.arguments, "00000000-0000-4000-8000-000000000000")
    return str(rule.build(values)[1]) if rule.arguments else rule.rule


def cells() -> Iterator[Any]:
    for rule, need in ROUTES:
        if need is None or need.permission is None or need.skin != "page":
            continue
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            for role in (*ROLES, ""):
                yield pytest.param(method, filled(rule), need.permission, role, id=f"{method} {rule.rule} {role or 'nobody'}")


@pytest.fixture(scope="module")
def browsers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, InProcess]]:
    """A browser for each role, signed in, and one where somebody without a role is."""
    url = f"sqlite:///{tmp_path_factory.mktemp('matrix') / 'db'}"
    migrate(url)
    runtime: Runtime = make_test_runtime(make_settings(database_url=url), Clock())
    insert_keys(runtime)
    people = {role: make_user(runtime) for role in (*ROLES, "")}
    with transaction(runtime.engine) as db:
        ensure_own(db, runtime)
        for role in ROLES:
            give_role(Operation(db, runtime), people[role].user, role)
    app = create_app(runtime)
    found = {}
    for role, person in people.items():
        found[role] = InProcess(app, runtime.settings.issuer)
        sign_in_to_console(found[role], person)
    yield found
    runtime.engine.dispose()


@pytest.mark.parametrize(("method", "path", "permission", "role"), list(cells()))
def test_a_page_opens_for_who_is_permitted_alone(
    browsers: dict[str, InProcess], method: str, path: str, permission: str, role: str
) -> None:
    http = browsers[role]
    body = {"csrf_token": mark_of(http)} if method == "POST" else None
    answer = http.request(method, path, data=body, headers={"Sec-Fetch-Site": "same-origin"})
    if role and permission in GRANTED[role]:
        assert answer.status != 403, "it is permitted, whatever else is wrong"
        assert answer.status < 500
        assert "/admin/sign-in" not in (answer.location or "")
    else:
        assert answer.status == 403
        assert "which does not permit this" in answer.text or "you have no role" in answer.text.lower()


@pytest.mark.parametrize(("method", "path"), sorted({(cell.values[0], cell.values[1]) for cell in cells()}))
def test_nobody_sees_a_page_without_signing_in(browsers: dict[str, InProcess], method: str, path: str) -> None:
    answer = browsers["owner"].fresh().request(method, path, data={} if method == "POST" else None)
    assert answer.status == (400 if method == "POST" else 303), "a form of nobody's browser is none of ours"
    if method != "POST":
        assert "/admin/sign-in?next=" in (answer.location or "")


def test_a_view_without_a_permission_is_refused(runtime: Runtime) -> None:
    app = create_admin_app(runtime)
    app.add_url_rule("/admin/forgotten", "forgotten", lambda: "secret")
    app.wsgi_app = mounted(app.wsgi_app, runtime.settings)
    found = InProcess(app, runtime.settings.issuer).get("/admin/forgotten")
    assert found.status == 500
    assert "secret" not in found.text


POSTS = sorted({(path, permission) for method, path, permission, _ in (cell.values for cell in cells()) if method == "POST"})


@pytest.mark.parametrize(("path", "permission"), POSTS)
@pytest.mark.parametrize(
    "forged", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "same-site"}, {}]
)
def test_a_form_of_another_site_changes_nothing(browsers: dict[str, InProcess], path: str, permission: str, forged: dict[str, str]) -> None:
    answer = browsers["owner"].request("POST", path, data={"csrf_token": "made.up.by.them"}, headers=forged)
    assert answer.status in (400, 403, 404), "404 where the thing is looked for first"
    assert answer.status == 404 or "This form is too old" in answer.text


@pytest.mark.parametrize("path", sorted({path for method, path, *_ in (cell.values for cell in cells()) if method == "GET"}))
def test_no_page_can_be_framed_or_cached_or_runs_foreign_scripts(browsers: dict[str, InProcess], path: str) -> None:
    headers = browsers["owner"].get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert "Cookie" in headers["Vary"]
