"""A large installation in PostgreSQL: clients with their search words, users, sessions, grants, audit events, refusals, figures."""

from typing import Any

from sqlalchemy import text

from authserver.runtime import Runtime
from authserver.store.audit import audit_events

STATEMENTS = (
    """INSERT INTO resource_servers (identifier, name, scopes, token_format, signing_alg, claims, introspected_by, version, created_at, updated_at)
       SELECT 'https://api' || n || '.example.com', 'API ' || n, '{"read": "Read"}', 'jwt', 'RS256', '{}', '[]', 1, :now, :now
       FROM generate_series(1, 200) n""",
    """INSERT INTO clients (client_id, kind, client_name, metadata, version, created_at, updated_at, last_used_at, disabled_at)
       SELECT 'client-' || n, (ARRAY['spa','native','web','service','device'])[1 + n % 5], 'Shop ' || md5(n::text),
              CAST(:document AS json), 1, :now, :now, :now, CASE WHEN n % 1000 = 0 THEN CAST(:now AS bigint) END
       FROM generate_series(1, :clients) n""",
    """INSERT INTO search_terms (kind, term, id)
       SELECT 'client', word, 'client-' || n FROM generate_series(1, :clients) n,
              LATERAL (VALUES ('client-' || n), ('shop ' || md5(n::text)), ('shop'), (md5(n::text)), ('app' || n || '.example.com')) w(word)""",
    """INSERT INTO search_terms (kind, term, id)
       SELECT 'client_of_api', 'https://api' || (1 + n % 200) || '.example.com', 'client-' || n FROM generate_series(1, :clients) n""",
    """INSERT INTO users (id, email, claims, roles, groups, attributes, version, created_at, updated_at)
       SELECT decode(md5('u' || n), 'hex'), 'somebody' || n || '@example.net', '{"name": "Person"}', '[]', '[]', '{}', 1, :now, :now
       FROM generate_series(1, :clients) n""",
    """INSERT INTO search_terms (kind, term, id)
       SELECT 'user', 'somebody' || n || '@example.net', CAST(CAST(md5('u' || n) AS uuid) AS text) FROM generate_series(1, :clients) n""",
    """INSERT INTO browser_sessions (digest, id, user_id, authenticated_at, acr, amr, address_prefix, user_agent, created_at, last_seen_at,
                                     idle_at, expires_at)
       SELECT decode(md5('a' || n) || md5('b' || n), 'hex'), decode(md5('s' || n), 'hex'), decode(md5('u' || n), 'hex'), :now, 'x', '["pwd"]',
              '192.0.2.0/24', 'Browser', CAST(:now AS bigint) - n % 80000, :now, CAST(:now AS bigint) + 80000, CAST(:now AS bigint) + 600000
       FROM generate_series(1, :clients) n""",
    """INSERT INTO grants (id, client_id, user_id, session_id, scope, resources, claims, authenticated_at, acr, amr, offline, generation, seed,
                           created_at, idle_at, expires_at, retained_until)
       SELECT decode(md5('g' || n), 'hex'), 'client-' || (1 + n % 1000), decode(md5('u' || n), 'hex'), decode(md5('s' || n), 'hex'), 'openid',
              '', '{}', :now, 'x', '["pwd"]', 0, 1, decode(md5('x' || n), 'hex'), CAST(:now AS bigint) - n % 80000, CAST(:now AS bigint) + 80000,
              CAST(:now AS bigint) + 90000, CAST(:now AS bigint) + 100000
       FROM generate_series(1, :clients) n""",
    """INSERT INTO audit_events (id, at, action, outcome, actor, client_id, subject, address_prefix, because, request_id, details, expires_at)
       SELECT decode(md5(n::text), 'hex'), CAST(:now AS bigint) - n % 7000000, (ARRAY['sign_in','sign_out','consent','client.update'])[1 + n % 4],
              CASE WHEN n % 10 = 0 THEN 'refused' ELSE 'ok' END, 'person' || n % 5000, 'client-' || n % 5000,
              CAST(CAST(md5('u' || n % 5000) AS uuid) AS text), '', '', 'request-' || n, '{}', CAST(:now AS bigint) + 7000000
       FROM generate_series(1, :events) n""",
    """INSERT INTO refusals (error_id, at, endpoint, error, because, client_id, address_prefix, asked, expires_at)
       SELECT 'error-' || n, CAST(:now AS bigint) - n % 600000, 'authorize', 'bad_redirect_uri', 'redirect_uri', 'client-' || n % 500, '',
              '{"redirect_uri": "https://x.example.com/"}', CAST(:now AS bigint) + 600000
       FROM generate_series(1, :clients) n""",
    """INSERT INTO figures (name, at, label, count, expires_at)
       SELECT name, CAST(:now AS bigint) / 600 * 600 - 600 * n, label, n % 100, CAST(:now AS bigint) + 600
       FROM generate_series(0, 4300) n, (VALUES ('tokens', 'client_credentials'), ('tokens', 'authorization_code'), ('tokens', 'refresh_token'),
            ('sign_ins', 'ok'), ('sign_ins', 'refused'), ('refusals', 'invalid_grant'), ('refusals', 'invalid_client')) v(name, label)""",
)
DOCUMENT = (
    '{"redirect_uris": ["https://app.example.com/cb"], "post_logout_redirect_uris": [], "allowed_origins": [], "scope": "", "apis": [],'
    ' "grant_types": ["authorization_code"], "response_types": ["code"], "response_modes": ["query"], "require_pkce": true,'
    ' "token_endpoint_auth_method": "client_secret_basic", "id_token_signed_response_alg": "RS256", "refresh_token_rotation": "auto",'
    ' "assertion_audience": "issuer", "consent": "remembered"}'
)


def fill(runtime: Runtime, *, clients: int = 100_000, events: int = 1_000_000) -> None:
    """Insert all of it, and let the database look at it. The indexes of the largest table are made when it is full."""
    values: dict[str, Any] = {"now": int(runtime.now().timestamp()), "clients": clients, "events": events, "document": DOCUMENT}
    with runtime.engine.connect() as connection:
        connection.exec_driver_sql("SET statement_timeout = 0")
        connection.exec_driver_sql("SET maintenance_work_mem = '256MB'")
        for index in audit_events.indexes:
            index.drop(connection)
        for statement in STATEMENTS:
            connection.execute(text(statement), {name: value for name, value in values.items() if f":{name}" in statement})
        for index in audit_events.indexes:
            index.create(connection)
        connection.exec_driver_sql("ANALYZE")
        connection.exec_driver_sql("RESET ALL")
