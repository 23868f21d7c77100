"""Configuration files of tests, compared with and applied to a database."""

from pathlib import Path
from typing import Any

from authserver.admin.configuration.describe import describe
from authserver.admin.configuration.document import Wanted, read_document
from authserver.admin.configuration.export import export
from authserver.admin.configuration.plan import Leftovers, Plan
from authserver.admin.configuration.run import Applied, apply_file, compare_file
from authserver.admin.configuration.source import read_source
from authserver.admin.operation import Operation
from authserver.runtime import Runtime
from authserver.store.base import transaction

API = "https://orders.example.com"
FILE = f"""
name: shop
apis:
  {API}:
    name: Orders
    scopes:
      orders:read: See your orders
      orders:write: Change your orders
    introspected_by: [gateway]
clients:
  shop:
    kind: spa
    client_name: Shop
    redirect_uris: [https://shop.example.com/]
    apis: [{API}]
  billing:
    kind: service
    client_name: Billing
    apis: [{API}]
    scope: orders:read
  gateway:
    kind: service
    client_name: Gateway
"""


def wanted(text: str, folder: Path | None = None) -> Wanted:
    return read_document(read_source(text.encode(), str((folder or Path()) / "clients.yaml")), "clients")


class Files:
    """Compares and applies files: `files.apply(FILE)`."""

    def __init__(self, runtime: Runtime, folder: Path) -> None:
        self.runtime, self.folder = runtime, folder

    def diff(self, text: str, leftovers: Leftovers = "leave") -> Plan:
        return compare_file(self.runtime, wanted(text, self.folder), leftovers)

    def shown(self, text: str, leftovers: Leftovers = "leave") -> str:
        return "\n".join(describe(self.diff(text, leftovers)))

    def apply(self, text: str, leftovers: Leftovers = "leave", **rest: Any) -> Applied:
        applied = apply_file(self.runtime, wanted(text, self.folder), leftovers, **rest)
        assert applied is not None
        return applied

    def export(self, name: str = "") -> str:
        with transaction(self.runtime.engine) as db:
            return "".join(export(Operation(db, self.runtime), name))


def steps(plan: Plan) -> set[tuple[str, str, str]]:
    return {(step.action, step.what, step.identifier) for step in plan.steps}
