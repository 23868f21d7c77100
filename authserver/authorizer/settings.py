"""Every knob of the authorizer, from AUTHORIZER_* variables (each also as …_FILE); nothing else reads the environment.

Durations are written `90` (seconds), `10m`, `24h` or `14d`; lists are separated by spaces. NamedTuple, since importing
dataclasses costs a cold start 9 ms.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from authserver.authorizer.keys import ALGORITHMS
from authserver.authorizer.refusal import SettingsError
from authserver.authorizer.routes import Routes, compile_routes
from authserver.authorizer.strict_json import read_object

PREFIX = "AUTHORIZER_"
NO_ROUTES: Routes = {}
UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
URL = r"(https://[^/?#@\s]+|http://(localhost|127\.0\.0\.1|\[::1\])(:\d+)?)(/[^?#\s]*)?"


class Settings(NamedTuple):
    """What an operator can set. Lifetimes and spans are seconds."""

    issuer: str
    audience: frozenset[str]
    algorithms: frozenset[str] = ALGORITHMS
    leeway: int = 10
    scopes: frozenset[str] = frozenset()
    routes: Routes = NO_ROUTES
    context: tuple[str, ...] = ()
    simple_responses: bool = False
    cached_by_route: bool = False
    http_api_raises: bool = False
    jwks_url: str = ""
    jwks: str = ""
    jwks_lifetime: int = 900
    jwks_stale_lifetime: int = 86400
    jwks_cool_down: int = 30
    introspection_url: str = ""
    introspection_client_id: str = ""
    introspection_client_secret: str = ""
    introspection_lifetime: int = 60
    check_revocation: bool = False


def read_settings(environ: Mapping[str, str]) -> Settings:
    """Fill the settings from AUTHORIZER_* variables. Raises SettingsError."""
    texts = dict(_texts(environ))
    for name in ("issuer", "audience"):
        if not texts.get(name):
            raise SettingsError(f"{PREFIX}{name.upper()} is not set")
    if texts["issuer"].endswith("/"):
        raise SettingsError(f"{PREFIX}ISSUER ends with a slash, and no token's issuer does: take it away")
    settings = Settings(**{name: _convert(name, text) for name, text in texts.items()})
    routes = compile_routes(read_routes(texts.get("routes", "")), settings.scopes)
    settings = settings._replace(jwks_url=settings.jwks_url or f"{settings.issuer}/.well-known/jwks.json", routes=routes)
    _check(settings)
    return settings


def read_duration(text: str) -> int:
    """Read `90`, `10m`, `24h` or `14d` as seconds. Raises SettingsError."""
    match = re.fullmatch(r"(\d{1,9})([smhd]?)", text)
    if not match:
        raise SettingsError("a duration is written 90 (seconds), 10m, 24h or 14d")
    return int(match[1]) * UNITS[match[2]]


def read_routes(text: str) -> dict[str, str]:
    """Read `{"GET /orders/{id}": "orders:read", …}`. Raises SettingsError."""
    try:
        routes = read_object(text) if text else {}
    except ValueError:
        raise SettingsError(f"{PREFIX}ROUTES must be one JSON object, with each route once") from None
    if not all(isinstance(scopes, str) for scopes in routes.values()):
        raise SettingsError(f"{PREFIX}ROUTES: the scopes of a route are one text, separated by spaces")
    return routes


def _texts(environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    known = {PREFIX + name.upper(): name for name in Settings._fields}
    for variable in sorted(name for name in environ if name.startswith(PREFIX)):
        bare = variable if variable in known else variable.removesuffix("_FILE")
        if bare not in known:
            raise SettingsError(f"{variable} is not a setting of the authorizer")
        if bare != variable and bare in environ:
            raise SettingsError(f"{variable} and {bare} are both set: leave one out")
        yield known[bare], (environ[variable] if bare == variable else _read_file(variable, environ[variable])).strip()


def _read_file(variable: str, path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123 - importing pathlib costs a cold start 5 ms
            return file.read()
    except (OSError, ValueError):
        raise SettingsError(f"{variable}: cannot read {path}") from None


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise SettingsError("must be true or false")
    return text == "true"


READERS: Mapping[object, Callable[[str], Any]] = {
    frozenset[str]: lambda text: frozenset(text.split()),
    tuple[str, ...]: lambda text: tuple(text.split()),
    int: read_duration,
    bool: _boolean,
    str: str,
}


def _convert(name: str, text: str) -> Any:
    if name == "routes":
        return NO_ROUTES  # read once the scopes that every route needs are known
    try:
        return READERS[Settings.__annotations__[name]](text)
    except SettingsError as error:
        raise SettingsError(f"{PREFIX}{name.upper()}: {error}") from None


def _check(settings: Settings) -> None:
    """Check what one value alone cannot say."""
    for name in ("issuer", "jwks_url", "introspection_url"):
        value = getattr(settings, name)
        if value and not re.fullmatch(URL, value):
            raise SettingsError(f"{PREFIX}{name.upper()} must be an https URL (http is for localhost alone)")
    if not settings.algorithms or settings.algorithms - ALGORITHMS:
        raise SettingsError(f"{PREFIX}ALGORITHMS must be some of {' '.join(sorted(ALGORITHMS))}")
    if settings.leeway > 60:
        raise SettingsError(f"{PREFIX}LEEWAY must be at most 60 seconds")
    if settings.jwks_cool_down < 1 or settings.jwks_lifetime < 1:
        raise SettingsError(f"{PREFIX}JWKS_COOL_DOWN and {PREFIX}JWKS_LIFETIME must be at least a second")
    _check_introspection(settings)
    if settings.routes and settings.simple_responses and not settings.cached_by_route:
        raise SettingsError(
            f"{PREFIX}ROUTES with {PREFIX}SIMPLE_RESPONSES needs $context.routeKey among the identity sources, or a cache of 0 seconds: "
            f"see to that, then set {PREFIX}CACHED_BY_ROUTE=true"
        )


def _check_introspection(settings: Settings) -> None:
    needed = (settings.introspection_url, settings.introspection_client_id, settings.introspection_client_secret)
    if any(needed) and not all(needed):
        raise SettingsError(f"{PREFIX}INTROSPECTION_URL, …_CLIENT_ID and …_CLIENT_SECRET belong together: set all three or none")
    if settings.check_revocation and not all(needed):
        raise SettingsError(f"{PREFIX}CHECK_REVOCATION needs {PREFIX}INTROSPECTION_URL")
