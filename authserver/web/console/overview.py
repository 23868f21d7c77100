"""The overview: what happened lately in figures and charts, keys, tables and version; on a new server, what to do first."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, request, url_for

from authserver.admin.figures import overview, series, table_sizes
from authserver.admin.operation import Operation
from authserver.web.console import first_steps
from authserver.web.console.charts import CHARTS, SIZES, Chart, content_policy_of, draw
from authserver.web.console.commands import command
from authserver.web.console.frame import show
from authserver.web.console.periods import PERIODS, USUAL, Figures, Period, tabulate
from authserver.web.console.words import in_words
from authserver.web.errors import PageError
from authserver.web.operators import may, operation, permit

routes = Blueprint("overview", __name__)

TEXTS = {
    "tokens": ("given to applications", "Grant", "Applications fetched no tokens in this period."),
    "sign_ins": ("with a password; limited ones came too often", "Outcome", "Nobody signed in in this period."),
    "refusals": ("requests of applications that were refused", "Error", "Nothing was refused in this period."),
}


@routes.get("/admin")
@permit("audit:read")
def index() -> Response:
    """Show the overview of the period that the address names."""
    op, period = operation(), _period()
    now, about = op.now(), overview(operation())
    figures = {chart.name: _figures(op, chart, period) for chart in CHARTS.values()}
    values = {
        "issuer": op.runtime.settings.issuer,
        "periods": [(url_for("overview.index", period=each.name), each.title, each is period) for each in PERIODS.values()],
        "steps": first_steps.steps(op, has_tokens=figures["tokens"].total > 0),
        "stats": _stats(figures, period),
        "charts": [_chart(CHARTS[name], period, found) for name, found in figures.items()],
        "keys": _keys(op, about["keys"], now) if may("keys:read") else None,
        "keys_url": url_for("keys.index"),
        "tables": [(name, f"{rows:,}") for name, rows in table_sizes(op).items()],
        "facts": _facts(op, about),
        "on_lambda": op.runtime.settings.on_lambda,
    }
    same = f"curl {op.runtime.settings.issuer}/readyz"
    return show("console/overview.html", values, title="Overview", command=command("db", "check"), call=same)


@routes.get("/admin/charts/<name>.svg")
@permit("audit:read")
def chart(name: str) -> Response:
    """Draw a chart of the period and for the size of screen that the address names."""
    size = request.args.get("size", "wide")
    if name not in CHARTS or size not in SIZES:
        raise PageError("not_found", status=404, because="no such chart")
    period = _period()
    document = draw(CHARTS[name], period, _figures(operation(), CHARTS[name], period), size)
    headers = {"Content-Security-Policy": content_policy_of(document)}
    return Response(document, content_type="image/svg+xml", headers=headers)


def _period() -> Period:
    return PERIODS.get(request.args.get("period", USUAL), PERIODS[USUAL])


def _figures(op: Operation, chart: Chart, period: Period) -> Figures:
    now = op.now()
    return tabulate(period, now, series(op, chart.name, period.steps(now)[0], period.step), chart.order)


def _stats(figures: Mapping[str, Figures], period: Period) -> list[dict[str, str]]:
    sign_ins = {column.label: column.total for column in figures["sign_ins"].columns}
    failed, tried = sum(sign_ins.values()) - sign_ins.get("ok", 0), sum(sign_ins.values())
    share = f"{100 * failed / tried:.1f} % of all attempts" if tried else "nobody tried"
    causes = figures["refusals"].columns
    return [
        {"label": "Tokens", "value": f"{figures['tokens'].total:,}", "note": f"in {period.title}"},
        {"label": "Sign-ins", "value": f"{sign_ins.get('ok', 0):,}", "note": f"in {period.title}"},
        {"label": "Failed sign-ins", "value": f"{failed:,}", "note": share},
        {"label": "Refused requests", "value": f"{figures['refusals'].total:,}", "note": f"most: {causes[0].label}" if causes else "none"},
    ]


def _chart(chart: Chart, period: Period, figures: Figures) -> dict[str, Any]:
    text, head, nothing = TEXTS[chart.name]
    addresses = {size: url_for("overview.chart", name=chart.name, period=period.name, size=size) for size in SIZES}
    totals = ", ".join(f"{column.total:,} {column.label}" for column in figures.columns)
    return {
        **addresses,
        **{name: getattr(chart, name) for name in ("name", "title", "unit", "palette")},
        "head": head,
        "nothing": nothing,
        "text": f"{text[0].upper()}{text[1:]}, in the last {period.title}, {period.each}",
        "alt": f"Bar chart of {chart.unit} in the last {period.title}: {totals}. The table beside it has the sums, the one below each bar.",
        "each": period.each,
        "columns": [{"label": column.label, "colour": column.colour, "total": f"{column.total:,}"} for column in figures.columns],
        "heads": ["From", *(f"#{column.label}" for column in figures.columns)],
        "total": f"{figures.total:,}",
        "rows": _rows(period, figures),
    }


def _rows(period: Period, figures: Figures) -> list[tuple[str, list[str]]]:
    """Write a row for each bar, the newest first."""
    written = [
        (at.strftime(period.row_format), [f"{column.values[place]:,}" for column in figures.columns])
        for place, at in enumerate(figures.steps)
    ]
    return written[::-1]


def _keys(op: Operation, documents: list[dict[str, Any]], now: datetime) -> list[dict[str, Any]]:
    lifetime = op.runtime.settings.signing_key_lifetime
    begun = {document["alg"]: datetime.fromisoformat(document["signs_from"]) for document in documents}
    return [{"alg": alg, "age": in_words(now - at), "rotates_at": at + lifetime} for alg, at in sorted(begun.items())]


def _facts(op: Operation, about: Mapping[str, Any]) -> list[tuple[str, str]]:
    is_behind = about["revision"] != about["needed_revision"]
    revision = about["revision"] or "none"
    return [
        ("Issuer", op.runtime.settings.issuer),
        ("Version", about["version"]),
        ("Migration", f"{revision}, but {about['needed_revision']} is needed: authserver db upgrade" if is_behind else revision),
        ("Database", op.runtime.engine.dialect.name),
    ]
