"""The page of the API in a real browser, light and dark, small and large: axe finds nothing, and nothing is too wide."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.web.conftest import Live

pytestmark = [pytest.mark.browser, pytest.mark.slow]

AXE = Path(__file__).parents[2] / "node" / "node_modules" / "axe-core" / "axe.min.js"


@pytest.fixture(params=[("light", 320), ("light", 1440), ("dark", 320), ("dark", 1440)], ids=lambda shape: f"{shape[0]}-{shape[1]}")
def window(request: pytest.FixtureRequest, chromium: Any) -> Iterator[Any]:
    if not AXE.exists():
        pytest.skip("axe-core is not installed in tests/node")
    scheme, width = request.param
    context = chromium.new_context(bypass_csp=True, color_scheme=scheme, viewport={"width": width, "height": 800})
    yield context.new_page()
    context.close()


def test_everybody_can_read_the_page(window: Any, live: Live) -> None:
    window.goto(f"{live.issuer}/admin/api")
    for opened in (False, True):
        if opened:
            window.evaluate("() => document.querySelectorAll('#clients details').forEach(each => { each.open = true })")
        window.evaluate(AXE.read_text())
        found = window.evaluate("() => axe.run({resultTypes: ['violations']})")["violations"]
        assert [(each["id"], [node["html"][:120] for node in each["nodes"][:3]]) for each in found] == []
        keep_picture(window, "opened" if opened else "closed")
        assert window.evaluate("() => document.documentElement.scrollWidth") <= window.viewport_size["width"]


def keep_picture(window: Any, name: str) -> None:
    """`SHOTS=folder` keeps pictures."""
    folder = os.environ.get("SHOTS")
    if folder:
        scheme = "dark" if window.evaluate("() => matchMedia('(prefers-color-scheme: dark)').matches") else "light"
        window.screenshot(path=Path(folder) / f"api-{name}-{scheme}-{window.viewport_size['width']}.png", full_page=name == "closed")
