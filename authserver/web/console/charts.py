"""Charts of the console: stacked bars, drawn by pygal as SVG images without scripts, in colours for light and for dark."""

import base64
import hashlib
import sys
from dataclasses import dataclass
from typing import Any

from authserver.web.console.periods import Figures, Period

SIZES = {"wide": (720, 250), "narrow": (340, 230)}
"""Width and height in pixels; the narrow one is drawn for small screens, where the wide one's texts would be too small."""

MOST_LINES = 4
LOOKS: dict[str, Any] = {
    **dict.fromkeys(("explicit_size", "no_prefix", "disable_xml_declaration"), True),
    "show_legend": False,
    "truncate_label": -1,
    "no_data_text": "",
    "margin": 6,
    "margin_right": 14,
}
LIGHT = ("#2456c4", "#0d857d", "#b65c00", "#8b3fa8", "#5d6878", "#c2255c", "#5c7a0d", "#8a8f99")
DARK = ("#7ea6ff", "#3fc4b8", "#f0a544", "#d291ee", "#a9b4c4", "#ff8fb3", "#b4d14f", "#7c8594")
OUTCOMES_LIGHT = ("#0d857d", "#c22f2f", "#b65c00", *LIGHT[3:])
OUTCOMES_DARK = ("#3fc4b8", "#ff8a80", "#f0a544", *DARK[3:])


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart: the name of its figures, its texts, and the labels that always have the same colours."""

    name: str
    title: str
    unit: str
    order: tuple[str, ...] = ()
    palette: str = ""


CHARTS = {
    chart.name: chart
    for chart in (
        Chart("tokens", "Tokens by grant", "tokens", ("authorization_code", "refresh_token", "client_credentials")),
        Chart("sign_ins", "Sign-ins", "sign-ins", ("ok", "refused", "limited"), "outcomes"),
        Chart("refusals", "Refusals by cause", "refused requests"),
    )
}


def draw(chart: Chart, period: Period, figures: Figures, size: str) -> bytes:
    """Draw figures as an SVG document; nothing in it runs or loads anything."""
    width, height = SIZES[size]
    lines = y_lines(figures.highest)
    labels = [period.label(at) for at in figures.steps]
    bars: Any = _stacked_bar()(
        width=width,
        height=height,
        range=(0, lines[-1]),
        js=[],
        css=["inline:" + _style(chart, figures)],
        **LOOKS,
        y_labels=[{"value": line, "label": short(line)} for line in lines],
        x_labels=_fewer(labels) if size == "narrow" else labels,
    )
    for values in [column.values for column in figures.columns] or [(0,) * period.count]:
        bars.add("", values)
    bars.add_xml_filter(lambda root: _cleaned(root, chart.title))
    document: str = bars.render(is_unicode=True)
    return document.encode()


def _stacked_bar() -> Any:
    """Import pygal. It hooks into every import after it, for plug-ins, by an interface that Python has given up: unhook it."""
    from pygal import StackedBar  # type: ignore[import-untyped]

    sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != "pygal"]
    return StackedBar


def content_policy_of(document: bytes) -> str:
    """Write the policy of an image that someone opens as a page: its own style, and nothing else."""
    style = document.decode().partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"


def y_lines(highest: int) -> list[int]:
    """Return where lines are drawn across: whole, round numbers, a few of them, the last one not below `highest`."""
    step = 1
    while step * MOST_LINES < highest:
        step = step * 5 // 2 if str(step).startswith("2") else step * 2
    return list(range(0, step * MOST_LINES + 1, step))[: -(-highest // step) + 1] if highest else [0, 1]


def short(count: int) -> str:
    """Write a round number shortly: 250, 20k, 1.5M."""
    for size, letter in ((1_000_000, "M"), (1_000, "k")):
        if count >= size:
            return f"{count / size:.1f}".removesuffix(".0") + letter
    return str(count)


def _fewer(labels: list[str]) -> list[str]:
    """Leave out every second label."""
    written = [place for place, label in enumerate(labels) if label]
    return [label if place in written[1::2] else "" for place, label in enumerate(labels)]


def _style(chart: Chart, figures: Figures) -> str:
    light, dark = (OUTCOMES_LIGHT, OUTCOMES_DARK) if chart.palette else (LIGHT, DARK)
    return (
        "svg{color-scheme:light dark;font-family:system-ui,sans-serif;--text:#4c5869;--line:#d3d9e3;--gap:#fff}"
        f"{_fills(light, figures)}"
        "@media(prefers-color-scheme:dark){svg{--text:#aab5c6;--line:#36414f;--gap:#18202c}" + _fills(dark, figures) + "}"
        "text{fill:var(--text);font-size:12px}.background{fill:none}"
        ".axis.x text{text-anchor:middle}.axis.y text{text-anchor:end}"
        ".axis path{stroke:none;fill:none}.axis.y path{stroke:var(--line)}"
        ".bar rect{stroke:var(--gap);stroke-width:1}"
    )


def _fills(colours: tuple[str, ...], figures: Figures) -> str:
    """Colour the bars, which pygal numbers as they were added."""
    return "".join(f".color-{number}{{fill:{colours[column.colour]}}}" for number, column in enumerate(figures.columns))


def _cleaned(root: Any, title: str) -> Any:
    """Take out scripts, what is there for them, comments, and bars without a height; say what the picture is."""
    for parent in list(root.iter()):
        for child in list(parent):
            if _is_superfluous(parent, child):
                parent.remove(child)
            elif child.tag == "style":
                child.text = (child.text or "").partition("\n")[2]
                del child.attrib["type"]
    root.find("title").text = title
    del root.attrib["id"]
    return root


def _is_superfluous(parent: Any, element: Any) -> bool:
    if callable(element.tag) or element.tag in ("script", "desc"):
        return True
    if element.tag == "title":
        return bool(parent.tag != "svg")
    is_flat = element.tag == "rect" and float(element.get("height", 1)) == 0
    return is_flat or element.get("class") in ("titles", "plot overlay", "plot text-overlay", "plot tooltip-overlay")
