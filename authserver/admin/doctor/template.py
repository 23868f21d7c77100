"""A serverless.yml or CloudFormation template, as far as it names an issuer (CloudFormation User Guide, intrinsic functions)."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from authserver.admin.errors import Invalid

MOST_BYTES = 2 * 1024 * 1024
ISSUERS = ("issuerUrl", "Issuer", "issuer", "oidc_issuer", "AUTHORIZER_ISSUER", "Url")
AUDIENCES = ("audience", "Audience", "AUTHORIZER_AUDIENCE")
CLIENT_IDS = ("ClientIdList", "ClientId", "client_id")
VALUES = (("Parameters",), ("Mappings",), ("Outputs",), ("custom",), ("params",))
"""Parts of a file whose values mean nothing before another part refers to them."""
VARIABLE = re.compile(r"\$\{|\{\{")
SELF = re.compile(r"\$\{self:([\w.-]+)\}")

Place = tuple[str | int, ...]


class Authorizer(NamedTuple):
    """A place in a template that names an issuer, by its last member; values are looked up as far as the file tells them."""

    place: Place
    issuer: Any
    audiences: list[Any]
    client_ids: list[Any]

    @property
    def shown(self) -> str:
        """Where it is: `provider.httpApi.authorizers.mine.issuerUrl`."""
        return dotted(self.place)

    @property
    def name(self) -> str:
        """How routes of serverless.yml and SAM call it."""
        return str([name for name in self.place[:-1] if name != "JwtConfiguration"][-1])

    @property
    def is_jwt(self) -> bool:
        """Tell whether it is a JWT authorizer of API Gateway's own, which has audiences."""
        return self.place[-1] in ("issuerUrl", "Issuer", "issuer") and bool(self.audiences)


@dataclass(frozen=True)
class Template:
    """A file's content; `name` is how findings speak of it."""

    name: str
    content: Any = field(repr=False)

    def authorizers(self) -> Iterator[Authorizer]:
        """Yield every place that names an issuer; `Url` is one beside a list of client ids alone."""
        for place, node in self.nodes():
            member = next((name for name in ISSUERS if name in node), "")
            if member and place[:1] not in VALUES and (member != "Url" or "ClientIdList" in node):
                audiences, client_ids = (list(self._each(node, names)) for names in (AUDIENCES, CLIENT_IDS))
                yield Authorizer((*place, member), self._known(node[member]), audiences, client_ids)

    def nodes(self) -> Iterator[tuple[Place, Mapping[Any, Any]]]:
        """Yield every mapping with its place, each once."""
        seen: set[int] = set()
        waiting: list[tuple[Place, Any]] = [((), self.content)]
        while waiting:
            place, node = waiting.pop()
            if isinstance(node, dict | list) and id(node) not in seen:
                seen.add(id(node))
                if isinstance(node, dict):
                    yield place, node
                items = node.items() if isinstance(node, dict) else enumerate(node)
                waiting.extend(((*place, key), value) for key, value in reversed(list(items)))

    def _each(self, node: Mapping[Any, Any], names: tuple[str, ...]) -> Iterator[Any]:
        for name in names:
            value = self._known(node.get(name, []))
            for item in value if isinstance(value, list) else [value]:
                known = self._known(item)
                yield from known.split() if name.startswith("AUTHORIZER_") and isinstance(known, str) else [known]

    def _known(self, value: Any) -> Any:
        """Look a parameter's default, or a value elsewhere in the file, up."""
        if isinstance(value, dict) and set(value) == {"Ref"}:
            return self._at(("Parameters", str(value["Ref"]), "Default"), value)
        match = SELF.fullmatch(value) if isinstance(value, str) else None
        return self._at(tuple(match[1].split(".")), value) if match else value

    def _at(self, path: tuple[str, ...], otherwise: Any) -> Any:
        node = self.content
        for name in path:
            if not isinstance(node, dict) or name not in node:
                return otherwise
            node = node[name]
        return node


def dotted(place: Place) -> str:
    """Write where something is."""
    return ".".join(map(str, place))


def is_known(value: Any) -> bool:
    """Tell whether a value is a text that says all by itself."""
    return isinstance(value, str) and not VARIABLE.search(value)


def read_template(path: Path) -> Template:
    """Read a file. Raises Invalid for one that cannot be read."""
    try:
        content = path.read_bytes()
        if len(content) > MOST_BYTES:
            raise Invalid("--template", f"must name a file of at most 2 MB: {path}")
        return Template(path.name, yaml.load(content, Loader=_Loader))  # noqa: S506  # a safe loader, with tags that make no objects
    except (OSError, UnicodeDecodeError) as fault:
        raise Invalid("--template", f"cannot be read: {path}") from fault
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as fault:
        raise Invalid("--template", f"is not YAML or JSON: {path}") from fault


class _Loader(yaml.SafeLoader):
    """YAML's safe loader; a tag of CloudFormation, as in `!Ref Name`, becomes what JSON writes: {"Ref": "Name"}."""


def _function(loader: Any, name: str, node: Any) -> dict[str, Any]:
    return {name: getattr(loader, f"construct_{node.id}")(node)}


_Loader.add_multi_constructor("!", _function)
