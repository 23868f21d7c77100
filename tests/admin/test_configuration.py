"""A configuration file applied: what it creates, changes, takes over and deletes, in one transaction, as the plan said."""

import threading
from datetime import timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from authserver.admin.clients import create_client, disable_client, enable_client, get_client, update_client_metadata
from authserver.admin.configuration.describe import plan_document
from authserver.admin.configuration.run import TURN
from authserver.admin.configuration.source import BadFile
from authserver.admin.errors import Changed, Conflict, NotFound
from authserver.admin.resource_servers import change_resource_server, create_resource_server, get_resource_server
from authserver.admin.roles import give_role, role_of
from authserver.admin.users import disable_user, get_user
from authserver.crypto.digest import digest
from authserver.store import metadata
from authserver.store.audit import audit_events
from authserver.store.base import transaction
from authserver.store.turn import take_turn
from tests.admin.configuration_files import API, FILE, steps
from tests.factories import make_settings, make_test_runtime, make_user

ACME = "clients:\n  acme:\n    kind: service\n    client_name: Acme\n"


@pytest.fixture
def rows(runtime):
    """Every row of every table, as it is now, but for the count of turns."""

    def read():
        with transaction(runtime.engine) as db:
            return {table.name: sorted(map(repr, db.execute(select(table)).all())) for table in metadata.sorted_tables}

    return read


def secrets_of(act, client_id):
    return {secret.digest: secret for secret in act(get_client, client_id).secrets}


@pytest.mark.databases
def test_a_file_makes_everything_once_and_nothing_the_second_time(files, act, rows):
    plan = files.diff(FILE)
    assert plan.has_difference
    assert steps(plan) == {("create", "api", API), *(("create", "client", name) for name in ("shop", "billing", "gateway"))}
    applied = files.apply(FILE)
    assert applied.plan == plan
    assert set(applied.secrets) == {"billing", "gateway"}
    api = act(get_resource_server, API)
    assert (api.name, list(api.scopes), api.introspected_by, api.managed_by) == (
        "Orders",
        ["orders:read", "orders:write"],
        ["gateway"],
        "shop",
    )
    shop = act(get_client, "shop")
    assert (shop.kind, shop.managed_by, shop.apis, shop.version) == ("spa", "shop", (API,), 1)
    assert list(secrets_of(act, "billing")) == [digest(applied.secrets["billing"])]
    before = rows()
    assert files.diff(FILE).steps == files.apply(FILE).plan.steps == ()
    assert files.apply(FILE).secrets == {}
    assert rows() == before, "where nothing is to be done nothing is written"


def test_a_comparison_changes_nothing(files, rows):
    before = rows()
    assert files.diff(FILE).has_difference
    assert rows() == before


def test_what_is_new_is_shown_but_for_what_is_by_default(files):
    assert files.shown(FILE[: FILE.index("  gateway:")].replace("    introspected_by: [gateway]\n", "")).splitlines() == [
        f"+ API {API}",
        "    name: Orders",
        "    scopes: + orders:read: See your orders",
        "    scopes: + orders:write: Change your orders",
        "+ client shop",
        "    kind: spa",
        "    client_name: Shop",
        "    redirect_uris: https://shop.example.com/",
        f"    apis: {API}",
        "+ client billing",
        "    kind: service",
        "    client_name: Billing",
        "    scope: orders:read",
        f"    apis: {API}",
        "    secret: made now, and shown once",
        "3 to create.",
    ]


def test_an_order_that_matters_is_shown(files):
    text = "clients:\n  a:\n    kind: spa\n    client_name: A\n    redirect_uris: [https://a.example/, https://b.example/]\n"
    files.apply(text)
    swapped = files.shown(text.replace("[https://a.example/, https://b.example/]", "[https://b.example/, https://a.example/]"))
    assert "redirect_uris: https://a.example/, https://b.example/ → https://b.example/, https://a.example/" in swapped


def test_what_differs_is_shown_before_and_after(files, act):
    files.apply(FILE)
    changed = (
        FILE.replace("client_name: Shop", "client_name: Webshop\n    consent: skipped")
        .replace("[https://shop.example.com/]", "[https://shop.example.com/, https://m.example.com/]")
        .replace("See your orders", "See all your orders")
        .replace("      orders:write: Change your orders\n", "      orders:pay: Pay\n")
    )
    shown = files.shown(changed).splitlines()
    assert shown == [
        f"~ API {API}",
        "    scopes: orders:read: See your orders → See all your orders",
        "    scopes: - orders:write",
        "    scopes: + orders:pay: Pay",
        "~ client shop",
        "    client_name: Shop → Webshop",
        "    redirect_uris: + https://m.example.com/",
        "    consent: remembered → skipped",
        "2 to change.",
    ]
    document = plan_document("shop", files.diff(changed))
    assert document["differs"] is True
    assert document["steps"][1]["changes"]["client_name"] == {"before": "Shop", "after": "Webshop"}
    files.apply(changed)
    assert act(get_client, "shop").client_name == "Webshop"
    assert files.diff(changed).steps == ()


def test_what_the_file_no_longer_says_goes_back_to_its_default(files, act):
    files.apply(
        FILE.replace("client_name: Shop", "client_name: Shop\n    policy_uri: https://shop.example.com/privacy\n    consent: skipped")
    )
    assert "policy_uri: https://shop.example.com/privacy → (by default)" in files.shown(FILE)
    files.apply(FILE)
    assert "policy_uri" not in act(get_client, "shop").metadata
    assert act(get_client, "shop").metadata["consent"] == "remembered"


def test_a_change_elsewhere_is_found_and_undone(files, act, operating):
    files.apply("name: other\n" + ACME)
    with operating() as operation:
        operation = type(operation)(operation.db, operation.runtime, operation.authority, "other")
        update_client_metadata(operation, "acme", {"client_name": "Evil"})
    assert "client_name: Evil → Acme" in files.shown("name: other\n" + ACME)


# Order


def test_a_scope_moves_out_of_an_api_together_with_its_last_client(files, act):
    files.apply(FILE.replace("scope: orders:read", "scope: orders:write"))
    without = FILE.replace("      orders:write: Change your orders\n", "")
    files.apply(without)
    assert list(act(get_resource_server, API).scopes) == ["orders:read"]
    assert act(get_client, "billing").scope == ("orders:read",)


def test_a_scope_that_another_client_still_has_cannot_go_and_the_diff_says_so(files, act):
    files.apply(FILE)
    act(create_client, "service", "Other", {"apis": [API], "scope": "orders:write"}, client_id="other")
    with pytest.raises(Conflict, match=r"clients.yaml:4: client other still has the scope orders:write"):
        files.diff(FILE.replace("      orders:write: Change your orders\n", ""))


def test_an_api_and_its_clients_go_together(files, act):
    files.apply(FILE)
    plan = files.diff("name: shop\n", "delete")
    assert {step.action for step in plan.steps} == {"delete"}
    files.apply("name: shop\n", "delete")
    for what, name in ((get_client, "shop"), (get_client, "gateway"), (get_resource_server, API)):
        with pytest.raises(NotFound):
            act(what, name)


def test_a_client_that_goes_while_an_api_names_it_is_an_error_at_once(files):
    files.apply(FILE)
    without = FILE[: FILE.index("  gateway:")]
    with pytest.raises(BadFile, match=r"clients.yaml:9: apis.*introspected_by must name clients that exist; there is no gateway"):
        files.diff(without, "delete")


# What the file owns


def test_nothing_is_deleted_unasked_and_only_what_the_file_owns(files, act):
    act(create_client, "service", "Mine", {}, client_id="mine")
    files.apply(FILE)
    files.apply("name: other\n" + ACME)
    rest = FILE[: FILE.index("  billing:")].replace("[gateway]", "[]")
    plan = files.apply(rest).plan
    assert {("leave", "client", "billing"), ("leave", "client", "gateway")} <= steps(plan)
    assert act(get_client, "billing").managed_by == "shop"
    assert "client billing (no longer in the file; --prune deletes it, --release gives it up)" in files.shown(rest)
    assert not files.diff(rest).has_difference
    files.apply(rest, "delete")
    for gone in ("billing", "gateway"):
        with pytest.raises(NotFound):
            act(get_client, gone)
    assert act(get_client, "mine").managed_by == ""
    assert act(get_client, "acme").managed_by == "other"


def test_what_the_file_gives_up_stays_and_can_be_changed_everywhere(files, act):
    user = make_user(files.runtime, "ada@example.com")
    roles = "roles:\n  ada@example.com: admin\n"
    files.apply(FILE + roles)
    with pytest.raises(Conflict, match="is managed by shop: change it there"):
        act(update_client_metadata, "shop", {"client_name": "X"})
    assert steps(files.apply("name: shop\n", "release").plan) == {
        ("release", "api", API),
        ("release", "role", "ada@example.com"),
        *(("release", "client", name) for name in ("shop", "billing", "gateway")),
    }
    assert act(update_client_metadata, "shop", {"client_name": "X"}).client.managed_by == ""
    assert act(change_resource_server, API, {"name": "X"}).managed_by == ""
    act(give_role, user.user, "support")
    assert files.diff("name: shop\n", "delete").steps == ()


def test_what_nobody_owns_is_taken_over_which_alone_is_no_difference(files, act):
    act(create_client, "service", "Acme", {}, client_id="acme")
    plan = files.diff(ACME)
    assert steps(plan) == {("take_over", "client", "acme")}
    assert not plan.has_difference
    assert files.shown(ACME) == "= client acme (as it is; nobody owned it)\nNo difference. 1 to take over as they are."
    files.apply(ACME)
    assert act(get_client, "acme").managed_by == "clients"
    assert files.diff(ACME).steps == ()


def test_what_is_changed_and_taken_over_is_shown_as_both(files, act):
    act(create_resource_server, API, "Orders", {})
    text = f"apis:\n  {API}:\n    name: Sales\n"
    assert files.shown(text).splitlines()[0] == f"~ API {API} (taken over; nobody owned it)"
    files.apply(text)
    assert (act(get_resource_server, API).name, act(get_resource_server, API).managed_by) == ("Sales", "clients")


def test_what_another_file_owns_is_an_error_with_the_line(files):
    files.apply("name: other\n" + ACME)
    with pytest.raises(Conflict, match=r"clients.yaml:2: client acme is managed by other"):
        files.apply(ACME)


def test_what_the_server_itself_owns_is_an_error(files, runtime):
    from authserver.admin.own import ensure_own

    with transaction(runtime.engine) as db:
        ensure_own(db, runtime)
    with pytest.raises(Conflict, match="authserver-console is managed by authserver"):
        files.diff("clients:\n  authserver-console:\n    kind: spa\n    client_name: X\n    redirect_uris: [https://evil.example/]\n")


# Errors


@pytest.mark.databases
def test_an_error_leaves_nothing_half_applied(files, rows):
    before = rows()
    for bad in (
        FILE + "roles:\n  nobody@example.com: owner\n",
        FILE.replace("scope: orders:read", "scope: orders:delete"),
        FILE.replace("introspected_by: [gateway]", "introspected_by: [shop]"),
        FILE.replace("  gateway:", '  "with space":').replace("introspected_by: [gateway]", ""),
    ):
        with pytest.raises((BadFile, NotFound)) as raised:
            files.apply(bad)
        assert "clients.yaml:" in str(raised.value)
        with pytest.raises(type(raised.value)):
            files.diff(bad)
    assert rows() == before


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("scope: orders:read", "scope: orders:delete"), "clients.yaml:20: clients.billing.scope must name scopes"),
        ((f"apis: [{API}]\n    scope", "apis: [https://other.example]\n    scope"), "clients.yaml:19: clients.billing.apis must name APIs"),
        (("[gateway]", "[shop]"), "introspected_by must name clients that authenticate; shop does not"),
        (("[gateway]", "[nobody]"), "clients.yaml:9: apis.https://orders.example.com.introspected_by must name clients that exist"),
    ],
)
def test_what_only_the_database_can_refuse_has_its_line_too(files, change, says):
    with pytest.raises(BadFile) as raised:
        files.diff(FILE.replace(*change))
    assert says in raised.value.why


def test_a_kind_cannot_change(files):
    files.apply(ACME)
    with pytest.raises(BadFile, match=r"clients.yaml:3: clients.acme.kind is device, but the client is there as service"):
        files.diff(ACME.replace("kind: service", "kind: device"))


def test_more_than_was_confirmed_is_not_deleted(files, act):
    files.apply("name: shop\n" + ACME)

    def confirm(plan):
        assert steps(plan) == {("delete", "client", "acme")}
        files.apply("name: shop\nclients:\n  late:\n    kind: service\n    client_name: Late\n")
        return True

    with pytest.raises(Changed, match="meanwhile"):
        files.apply("name: shop\n", "delete", confirm=confirm)
    assert act(get_client, "acme").client_name == "Acme"


# Secrets


def test_a_secret_comes_by_reference_and_a_new_one_overlaps_the_one_before(files, act, clock, monkeypatch):
    (files.folder / "acme.secret").write_text("t" * 30 + "\n")
    by_file, by_env = ACME + "    secret: file:acme.secret\n", ACME + "    secret: env:ACME_SECRET\n"
    monkeypatch.setenv("ACME_SECRET", "s" * 30)
    assert "secret: env:ACME_SECRET" in files.shown(by_env)
    assert files.apply(by_env).secrets == {}
    assert list(secrets_of(act, "acme")) == [digest("s" * 30)]
    assert files.diff(by_env).steps == ()
    clock.advance(days=1)
    assert "secret: another one → file:acme.secret" in files.shown(by_file)
    assert "tttt" not in files.shown(by_file)
    files.apply(by_file)
    both = secrets_of(act, "acme")
    assert (both[digest("s" * 30)].expires_at - clock.now()).days == 7
    assert both[digest("t" * 30)].expires_at is None
    assert files.diff(by_env).steps == files.diff(by_file).steps == (), "while both work, either is as the file says"
    clock.advance(days=8)
    assert files.diff(by_env).has_difference
    files.apply(by_env)
    assert secrets_of(act, "acme")[digest("s" * 30)].expires_at is None


def test_without_a_reference_a_secret_is_made_once_and_then_left_alone(files, act):
    for text in (ACME, ACME.replace("acme", "ajax").replace("Acme", "Ajax\n    secret: generate")):
        assert "secret: made now, and shown once" in files.shown(text)
        ((client_id, secret),) = files.apply(text).secrets.items()
        assert list(secrets_of(act, client_id)) == [digest(secret)]
        assert not files.diff(text).has_difference


def test_a_client_that_begins_to_use_a_secret_gets_the_one_that_is_given(files, act, monkeypatch):
    monkeypatch.setenv("ACME_SECRET", "s" * 30)
    device = "clients:\n  tv:\n    kind: device\n    client_name: TV\n"
    files.apply(device)
    files.apply(device + "    token_endpoint_auth_method: client_secret_post\n    secret: env:ACME_SECRET\n")
    live = [known for known, secret in secrets_of(act, "tv").items() if secret.is_live(files.runtime.now())]
    assert live == [digest("s" * 30)]
    files.apply(device)
    assert secrets_of(act, "tv") == {}
    shown = files.apply(device + "    token_endpoint_auth_method: client_secret_basic\n").secrets
    assert list(secrets_of(act, "tv")) == [digest(shown["tv"])]


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ("env:NOBODY_SET_THIS", "clients.yaml:5: clients.acme.secret is env:NOBODY_SET_THIS, but there is no such variable"),
        ("file:nowhere", "clients.acme.secret is file:nowhere, which cannot be read: No such file or directory"),
        ("file:empty", "which is empty"),
        ("file:binary", "it is not UTF-8"),
        ("file:short", "clients.acme.secret must have at least 20 characters"),
    ],
)
def test_a_secret_that_cannot_be_had_is_said_with_the_line(files, reference, says):
    for name, content in {"empty": b"\n", "binary": b"\xff" * 30, "short": b"tooshort"}.items():
        (files.folder / name).write_bytes(content)
    with pytest.raises(BadFile) as raised:
        files.diff(f"{ACME}    secret: {reference}\n")
    assert says in raised.value.why
    assert "tooshort" not in raised.value.why


def test_a_secret_of_another_client_is_refused(files, monkeypatch):
    monkeypatch.setenv("ACME_SECRET", "s" * 30)
    text = ACME + "    secret: env:ACME_SECRET\n"
    with pytest.raises(Conflict, match=r"clients.yaml:6: this secret is in use already"):
        files.diff(text + text.replace("clients:\n", "").replace("acme:", "ajax:"))


# On and off


def test_enabled_is_left_as_it_is_where_the_file_does_not_say(files, act):
    files.apply(ACME)
    act(disable_client, "acme")
    assert files.diff(ACME).steps == ()
    assert "enabled: false → true" in files.shown(ACME + "    enabled: true\n")
    files.apply(ACME + "    enabled: true\n")
    assert act(get_client, "acme").disabled_at is None
    files.apply(ACME + "    enabled: false\n")
    assert act(get_client, "acme").disabled_at is not None
    act(enable_client, "acme")
    assert files.diff(ACME + "    enabled: false\n").has_difference
    born = "clients:\n  late:\n    kind: service\n    client_name: Late\n    enabled: false\n"
    files.apply(born)
    assert act(get_client, "late").disabled_at is not None
    assert not files.diff(born).has_difference


# Roles


def test_roles_are_given_changed_taken_over_and_taken_away(files, act, runtime):
    people = {name: make_user(runtime, f"{name}@example.com").user for name in ("ada", "bob", "eve")}
    act(give_role, people["bob"], "owner")
    act(give_role, people["eve"], "auditor")
    text = "roles:\n  ada@example.com: admin\n  bob@example.com: owner\n  eve@example.com: support\n"
    assert files.shown(text).splitlines() == [
        "+ role of ada@example.com",
        "    role: admin",
        "= role of bob@example.com (as it is; nobody owned it)",
        "~ role of eve@example.com (taken over; nobody owned it)",
        "    role: auditor → support",
        "1 to create, 1 to change, 1 to take over as they are.",
    ]
    files.apply(text)
    assert {name: act(role_of, user.id) for name, user in people.items()} == {"ada": "admin", "bob": "owner", "eve": "support"}
    with pytest.raises(Conflict, match="managed by clients"):
        act(give_role, people["eve"], "admin")
    files.apply("roles:\n  bob@example.com: owner\n", "delete")
    assert {name: act(role_of, user.id) for name, user in people.items()} == {"ada": "", "bob": "owner", "eve": ""}


def test_ownership_is_handed_over_but_not_given_up(files, act, runtime):
    ada, bob = make_user(runtime, "ada@example.com").user, make_user(runtime, "bob@example.com").user
    files.apply("roles:\n  ada@example.com: owner\n")
    for none in ("roles:\n  ada@example.com: admin\n", "roles: {}\n"):
        with pytest.raises(Conflict, match="roles would leave nobody who is owner"):
            files.diff(none, "delete")
    files.apply("roles:\n  ada@example.com: admin\n  bob@example.com: owner\n")
    assert (act(role_of, ada.id), act(role_of, bob.id)) == ("admin", "owner")
    act(disable_user, "ada@example.com")
    with pytest.raises(Conflict, match="nobody who is owner and enabled"):
        files.apply("roles:\n  ada@example.com: owner\n", "delete")


def test_a_role_of_nobody_is_an_error_with_the_line(files):
    with pytest.raises(NotFound, match=r"clients.yaml:3: there is no user 'nobody@example.com'"):
        files.diff("name: x\nroles:\n  nobody@example.com: admin\n")


# Who did it


def test_the_audit_log_says_which_file_did_what_with_before_and_after(files, events, act):
    files.apply(FILE)
    files.apply(FILE.replace("client_name: Shop", "client_name: Webshop"))
    changes = [event for event in events() if event.action.startswith(("client.", "api."))]
    assert {event.actor for event in changes} == {"file:shop"}
    (update,) = [event for event in changes if event.action == "client.update"]
    assert (update.details["before"]["client_name"], update.details["after"]["client_name"]) == ("Shop", "Webshop")
    files.apply("name: shop\n", "release")
    assert {event.action for event in events() if "release" in event.action} == {"client.release", "api.release"}


def test_a_rehearsal_leaves_no_audit_event(files, runtime):
    files.diff(FILE)
    with transaction(runtime.engine) as db:
        assert db.execute(select(func.count()).select_from(audit_events)).scalar_one() == 0


# Many at once


@pytest.mark.databases
def test_of_many_that_apply_at_the_same_time_one_does_it_and_the_others_see_it_done(files, act):
    outcomes, problems = [], []

    def apply():
        try:
            outcomes.append(files.apply(FILE))
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=apply) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert problems == []
    assert sum(bool(applied.secrets) for applied in outcomes) == 1
    assert len(outcomes) == 5
    assert act(get_client, "shop").version == 1
    assert act(get_user, make_user(files.runtime, "late@example.com").email)


class Holding:
    """Somebody who holds the turn, until told otherwise."""

    def __init__(self, runtime):
        self.runtime, self.has_it, self.may_go = runtime, threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.hold)

    def hold(self):
        with transaction(self.runtime.engine) as db:
            take_turn(db, TURN)
            self.has_it.set()
            self.may_go.wait(30)

    def __enter__(self):
        self.thread.start()
        self.has_it.wait(10)
        return self

    def __exit__(self, *_):
        self.may_go.set()
        self.thread.join()


@pytest.fixture
def impatient(runtime, clock, files):
    """Another process, which waits for a tenth of a second at a time."""
    settings = make_settings(database_url=runtime.settings.database_url, database_busy_timeout=timedelta(milliseconds=100))
    other = make_test_runtime(settings, clock)
    yield type(files)(other, files.folder)
    other.engine.dispose()


def test_who_waits_for_a_turn_asks_again(files, impatient, act):
    with Holding(files.runtime) as holding:
        threading.Timer(0.25, holding.may_go.set).start()
        impatient.apply(FILE)
    assert act(get_client, "shop").version == 1


def test_who_never_gets_the_turn_fails_in_the_end_and_changes_nothing(files, impatient, rows):
    before = rows()
    with Holding(files.runtime), pytest.raises(OperationalError, match="locked"):
        impatient.apply(FILE)
    after = rows()
    assert {name: after[name] for name in after if name != "numbers"} == {name: before[name] for name in before if name != "numbers"}


def test_a_large_file_is_compared_in_few_statements(files, runtime, counts):
    many = "".join(f"  c{number:04}:\n    kind: device\n    client_name: Client {number}\n" for number in range(1200))
    files.apply("clients:\n" + many)
    with counts.measure() as spent:
        assert files.diff("clients:\n" + many).steps == ()
    assert len(spent.statements) <= 12
