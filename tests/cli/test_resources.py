"""Resources by command: what goes in comes out, as text and as JSON."""

import json

import pytest
from sqlalchemy import create_engine, text

from authserver.store.schema import HEAD
from tests.factories import jwks_of, make_key

REDIRECT = ("--redirect-uri", "https://app.example.com/cb")
API = "https://api.example.com"


@pytest.fixture
def api(cli):
    return cli.json("apis", "create", "--identifier", API, "--name", "Orders", "--scope", "orders:read=See = your orders", "--scope", "x=X")


def test_a_client_is_made_with_everything(cli, api, tmp_path):
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps(jwks_of(make_key())))
    made = cli.json(
        *("clients", "create", "--kind", "web", "--name", "Shop & Söhne", "--client-id", "shop", *REDIRECT),
        *("--redirect-uri", "https://app.example.com/cb2", "--post-logout-redirect-uri", "https://app.example.com/bye"),
        *("--api", API, "--scope", "openid orders:read", "--auth-method", "private_key_jwt", "--jwks", str(keys)),
        *("--set", "require_pkce=false", "--set", "default_max_age=3600", "--set", 'contacts=["ops@example.com"]'),
        *("--set", "policy_uri=https://example.com/privacy", "--set", 'attributes={"tier": "gold"}'),
    )
    assert made["redirect_uris"] == ["https://app.example.com/cb", "https://app.example.com/cb2"]
    assert made["client_name"] == "Shop & Söhne"
    assert (made["require_pkce"], made["default_max_age"], made["attributes"]) == (False, 3600, {"tier": "gold"})
    assert "client_secret" not in made
    assert cli.json("clients", "get", "shop") == made
    assert "https://app.example.com/cb, https://app.example.com/cb2" in cli("clients", "get", "shop").stdout


def test_a_secret_is_shown_once_with_a_word_on_stderr(cli):
    result = cli("clients", "create", "--kind", "service", "--name", "Billing", "--client-id", "billing")
    assert result.stdout.splitlines()[1].startswith("client_secret")
    assert "not shown again" in result.stderr
    assert "client_secret " not in cli("clients", "get", "billing").stdout


def test_a_client_moves_in_with_its_secret_from_stdin(cli):
    made = cli.json(
        "clients", "create", "--kind", "service", "--name", "Old", "--client-id", "old", "--secret-stdin", stdin="s" * 24 + "\n"
    )
    assert "client_secret" not in made
    assert len(made["secrets"]) == 1
    for stdin, says in (("short\n", "at least 20"), ("", "standard input"), (b"\xff" * 30, "UTF-8")):
        said = cli.error("clients", "create", "--kind", "service", "--name", "X", "--secret-stdin", stdin=stdin, code=2)
        assert says in said
    taken = cli.error("clients", "create", "--kind", "service", "--name", "X", "--secret-stdin", stdin="s" * 24, code=5)
    assert "in use" in taken


def test_a_client_changes_and_is_turned_off_and_goes(cli, api):
    cli("clients", "create", "--kind", "web", "--name", "Shop", "--client-id", "shop", *REDIRECT)
    changed = cli.json(
        "clients", "update", "shop", "--name", "Shop 2", "--api", API, "--set", "consent=skipped", "--set", "policy_uri=null"
    )
    assert (changed["client_name"], changed["apis"], changed["consent"], changed["version"]) == ("Shop 2", [API], "skipped", 2)
    assert changed["redirect_uris"] == ["https://app.example.com/cb"]
    assert cli.json("clients", "disable", "shop")["enabled"] is False
    assert cli.json("clients", "enable", "shop")["enabled"] is True
    assert "Shop 2" in cli("clients", "list").stdout
    assert "secrets" not in cli.json("clients", "list")[0]
    assert cli.json("clients", "delete", "shop") == {"deleted": "shop"}
    assert cli.json("clients", "list") == []
    assert "None." in cli("clients", "list").stderr


def test_a_new_secret_overlaps_the_old_one(cli):
    cli("clients", "create", "--kind", "service", "--name", "Billing", "--client-id", "billing")
    made = cli.json("clients", "rotate-secret", "billing", "--overlap", "24h")
    old, new = sorted(made["secrets"], key=lambda secret: secret["expires_at"] is None)
    assert (old["expires_at"] is None, new["expires_at"]) == (False, None)
    assert len(made["client_secret"]) == 43
    assert "client_secret" not in cli.json("clients", "rotate-secret", "billing", "--secret-stdin", stdin="t" * 30)


def test_a_client_s_way_to_authenticate_changes(cli):
    cli("clients", "create", "--kind", "service", "--name", "Billing", "--client-id", "billing")
    keys = json.dumps(jwks_of(make_key()))
    changed = cli.json("clients", "update", "billing", "--auth-method", "private_key_jwt", "--set", f"jwks={keys}")
    assert changed["secrets"] == []
    assert len(cli.json("clients", "update", "billing", "--auth-method", "client_secret_basic")["client_secret"]) == 43


def test_an_api_is_made_shown_changed_and_goes(cli, api):
    assert api["scopes"] == {"orders:read": "See = your orders", "x": "X"}
    assert (api["format"], api["alg"], api["lifetime"]) == ("jwt", "RS256", None)
    cli("clients", "create", "--kind", "service", "--name", "Gateway", "--client-id", "gateway")
    changed = cli.json(
        *("apis", "update", API, "--name", "Sales", "--alg", "ES256", "--format", "opaque", "--lifetime", "5m"),
        *("--claim", "roles=roles", "--claim", "https://example.com/team=team", "--introspected-by", "gateway"),
    )
    assert (changed["name"], changed["alg"], changed["format"], changed["lifetime"]) == ("Sales", "ES256", "opaque", 300)
    assert changed["claims"] == {"roles": "roles", "https://example.com/team": "team"}
    assert changed["introspected_by"] == ["gateway"]
    assert cli.json("apis", "update", API, "--lifetime", "0")["lifetime"] is None
    assert cli.json("apis", "get", API)["name"] == "Sales"
    assert "orders:read, x" in cli("apis", "list").stdout
    assert cli.json("apis", "delete", API) == {"deleted": API}
    assert cli.json("apis", "list") == []


def test_a_user_is_made_shown_changed_and_goes(cli):
    made = cli.json(
        *("users", "create", "--email", "Ada@Example.com", "--name", "Ada", "--set", "email_verified=true", "--set", 'roles=["admin"]'),
        *("--set", "nickname=007", "--set", "phone_number=+44 20 7946 0000", "--set", "level=3", "--set", "team=sales", "--set", "odd=NaN"),
    )
    assert (made["email"], made["roles"], made["enabled"]) == ("ada@example.com", ["admin"], True)
    assert made["claims"] == {"email_verified": True, "name": "Ada", "nickname": "007", "phone_number": "+44 20 7946 0000"}
    assert made["attributes"] == {"level": 3, "team": "sales", "odd": "NaN"}
    changed = cli.json("users", "update", "ada@example.com", "--email", "ada2@example.com", "--set", "level=null", "--set", "name=Ada L")
    assert (changed["email"], changed["claims"]["email_verified"], changed["claims"]["name"]) == ("ada2@example.com", False, "Ada L")
    assert changed["attributes"] == {"team": "sales", "odd": "NaN"}
    assert cli.json("users", "disable", made["id"])["enabled"] is False
    assert cli.json("users", "enable", made["id"])["enabled"] is True
    assert "ada2@example.com" in cli("users", "list").stdout
    assert cli.json("users", "delete", "ADA2@example.com") == {"deleted": "ADA2@example.com"}
    assert cli.json("users", "list") == []


def test_a_password_comes_by_stdin_or_is_made(cli):
    made = cli("users", "create", "--email", "ada@example.com")
    assert made.stdout.splitlines()[1].startswith("password")
    assert "not shown again" in made.stderr
    assert "password" not in cli.json("users", "set-password", "ada@example.com", "--password-stdin", stdin="fifteen letters\r\n")
    assert len(cli.json("users", "set-password", "ada@example.com")["password"]) == 27
    assert "15 characters" in cli.error("users", "set-password", "ada@example.com", "--password-stdin", stdin="short", code=2)
    assert "password" not in cli.json("users", "create", "--email", "bob@example.com", "--password-stdin", stdin="fifteen letters")


def test_sessions_and_grants_may_be_none(cli):
    cli("users", "create", "--email", "ada@example.com")
    cli("clients", "create", "--kind", "service", "--name", "Billing", "--client-id", "billing")
    assert cli.json("sessions", "list", "--user", "ada@example.com") == cli.json("grants", "list", "--user", "ada@example.com") == []
    assert cli.json("sessions", "revoke", "--user", "ada@example.com") == {"ended": 0}
    assert cli.json("grants", "revoke", "--user", "ada@example.com", "--client", "billing") == {"ended": 0}
    assert cli.json("grants", "revoke", "--client", "billing") == {"ended": 0}


def test_keys_are_made_listed_rotated_and_resealed(cli):
    assert cli.json("keys", "list") == []
    assert cli.json("janitor")["signing_keys"] == 0
    assert [(key["alg"], key["state"]) for key in cli.json("keys", "list")] == [("RS256", "signing"), ("refresh", "signing")]
    announced = cli.json("keys", "rotate", "--announce", "--alg", "RS256")
    assert [key["state"] for key in announced] == ["signing", "announced"]
    assert "announced already" in cli.error("keys", "rotate", "--announce", code=5)
    rotated = cli("keys", "rotate")
    assert "within a minute" in rotated.stderr
    assert cli.json("keys", "reseal") == {"resealed": 0}
    assert cli.json("keys", "reseal", AUTHSERVER_SECRET_KEY="B" * 43 + " " + "A" * 43)["resealed"] == 4


def test_a_token_is_inspected_from_stdin(cli):
    forged = "eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ.eyJpc3MiOiJodHRwOi8vbG9jYWxob3N0OjkwMDAifQ.AAAA"
    shown = cli.json("token", "inspect", stdin=forged + "\n")
    assert shown["state"] == "not signed by a key of ours"
    assert forged not in str(shown)
    assert "neither a JWT nor a token" in cli.error("token", "inspect", stdin="hello\n", code=2)
    assert "standard input" in cli.error("token", "inspect", stdin="", code=2)


@pytest.mark.databases
def test_the_database_is_migrated_checked_and_told_of_a_restore(cli, database_server):
    cli.environment["AUTHSERVER_DATABASE_URL"] = url = database_server.empty()
    assert "run authserver db upgrade" in cli("db", "check", code=1).stderr
    assert cli.json("db", "upgrade") == {"before": None, "revision": HEAD}
    assert cli.json("db", "upgrade") == {"before": HEAD, "revision": HEAD}
    assert cli.json("db", "check") == {"revision": HEAD, "needed": HEAD, "differences": []}
    assert cli.json("db", "restored") == {"epoch": 1, "sessions_ended": 0}
    restored = cli("db", "restored")
    assert restored.stdout.splitlines()[0].split() == ["epoch", "2"]
    assert "Restart" in restored.stderr
    database_server.drop(url)


def test_tables_that_were_changed_by_hand_are_found(cli, database_url):
    engine = create_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE users ADD COLUMN extra INTEGER"))
    engine.dispose()
    result = cli("db", "check", code=1)
    assert "extra" in result.stdout
    assert "not as the migrations made them" in result.stderr


def test_versions_are_shown(cli):
    shown = cli.json("version")
    assert shown["tables"] == HEAD
    assert {"authserver", "python", "authlib", "joserfc", "cryptography"} <= set(shown)


def test_settings_are_shown_with_their_origin_and_without_secrets(cli, tmp_path):
    key = tmp_path / "key"
    key.write_text("B" * 43 + "\n")
    shown = {
        one["setting"]: one
        for one in cli.json(
            *("config", "show"),
            AUTHSERVER_SECRET_KEY=None,
            AUTHSERVER_SECRET_KEY_FILE=str(key),
            AUTHSERVER_DATABASE_URL="postgresql://ada:hidden@db.example/x?sslpassword=hidden",
            AUTHSERVER_METRICS_TOKEN="hidden",
            AUTHSERVER_DRAIN_DELAY="90",
        )
    }
    assert shown["AUTHSERVER_SECRET_KEY"]["value"] == "***"
    assert shown["AUTHSERVER_SECRET_KEY"]["from"] == f"AUTHSERVER_SECRET_KEY_FILE={key}"
    assert shown["AUTHSERVER_DATABASE_URL"]["value"] == "postgresql://***@db.example/x?***"
    assert shown["AUTHSERVER_METRICS_TOKEN"]["value"] == "***"
    assert shown["AUTHSERVER_LIMITS_STORAGE_URL"]["value"] == ""
    assert shown["AUTHSERVER_DRAIN_DELAY"] == {
        "setting": "AUTHSERVER_DRAIN_DELAY",
        "value": "90",
        "from": "AUTHSERVER_DRAIN_DELAY",
        "meaning": shown["AUTHSERVER_DRAIN_DELAY"]["meaning"],
    }
    assert shown["AUTHSERVER_LOG_LEVEL"]["from"] == "default"
    assert "hidden" not in str(shown)
    assert "B" * 43 not in str(shown)
    assert "AUTHSERVER_ISSUER" in cli("config", "show").stdout


def test_every_change_leaves_an_audit_event(cli, database_url):
    cli("apis", "create", "--identifier", API, "--name", "Orders")
    cli("clients", "create", "--kind", "service", "--name", "Billing", "--client-id", "billing", "--api", API)
    for command in ("disable", "enable", "rotate-secret"):
        cli("clients", command, "billing")
    cli("clients", "update", "billing", "--set", "apis=[]")
    cli("apis", "update", API, "--name", "Sales")
    cli("apis", "delete", API)
    cli("clients", "delete", "billing")
    cli("users", "create", "--email", "ada@example.com")
    for command in ("disable", "enable", "set-password"):
        cli("users", command, "ada@example.com")
    cli("users", "update", "ada@example.com", "--name", "Ada")
    cli("users", "delete", "ada@example.com")
    cli("keys", "rotate", "--alg", "ES256")
    cli("keys", "reseal")
    cli("db", "restored")
    engine = create_engine(database_url)
    with engine.connect() as connection:
        found = connection.execute(text("SELECT action, actor FROM audit_events")).all()
    engine.dispose()
    assert {actor for _, actor in found} == {"cli"}
    assert sorted(action for action, _ in found) == sorted(
        [
            *(f"client.{what}" for what in ("create", "disable", "enable", "rotate_secret", "update", "delete")),
            *(f"api.{what}" for what in ("create", "update", "delete")),
            *(f"user.{what}" for what in ("create", "disable", "enable", "set_password", "update", "delete")),
            *("keys.rotate", "keys.reseal", "db.restored"),
        ]
    )
