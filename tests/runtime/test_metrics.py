"""Metrics: their names, those that the alert rules use, and one sum over several processes."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from authserver.runtime import metrics

ALERTS = Path(__file__).parents[2] / "docs" / "alerts.yml"
NAME = re.compile(r"\b(authserver_[a-z_]+)(?:\{([^}]*)\})?")


def families():
    return {family.name: family for family in text_string_to_metric_families(metrics.exposition({"RS256": 5.0}).decode())}


def exposed():
    """The names of all samples, with the labels that they can have."""
    found = {}
    for name, family in families().items():
        found[name + ("_total" if family.type == "counter" else "")] = {label for sample in family.samples for label in sample.labels}
    return found


def test_what_is_counted_is_shown():
    for count in (
        lambda: metrics.tokens_issued("client_credentials"),
        lambda: metrics.happened("token.refuse", "refused", "invalid_grant"),
        lambda: metrics.happened("sign_in", "ok", ""),
        lambda: metrics.answered("endpoints.token", 503),
        metrics.sign_in_limited,
        metrics.reuse_detected,
        metrics.pool_waits,
        metrics.hash_waits,
        metrics.hash_refused,
    ):
        before = total()
        count()
        assert total() > before


def total():
    return sum(sample.value for family in families().values() for sample in family.samples if sample.name.endswith("_total"))


def rules():
    """The rules of docs/alerts.yml: name and expression. The file is plain enough to be read without a YAML library."""
    text = "\n".join(line for line in ALERTS.read_text().splitlines() if not line.lstrip().startswith("#"))
    blocks = re.split(r"^ +- alert: ", text, flags=re.MULTILINE)[1:]
    for block in blocks:
        name, rest = block.split("\n", 1)
        expression = re.search(r"expr: (?:>-\n)?(.*?)\n +(?:for|labels):", rest, flags=re.DOTALL)
        assert expression is not None, name
        yield name, " ".join(expression[1].split()), rest


@pytest.mark.parametrize(("name", "expression", "rest"), list(rules()))
def test_an_alert_uses_metrics_and_labels_that_exist(name, expression, rest):
    test_what_is_counted_is_shown()
    known = exposed()
    assert re.fullmatch(r"Authserver[A-Za-z]+", name)
    assert re.search(r"severity: (page|ticket)", rest)
    assert "summary:" in rest
    assert "description:" in rest
    assert expression.count("(") == expression.count(")")
    used = NAME.findall(expression)
    assert used or expression.startswith("up{")
    for metric, labels in used:
        assert metric in known, metric
        assert set(re.findall(r"([a-z_]+)[=!]", labels)) <= known[metric], metric


def test_alerts_cover_what_can_go_wrong():
    assert len(list(rules())) >= 8


def test_the_actions_that_alerts_name_are_written_by_the_program():
    sources = "\n".join(path.read_text() for path in (ALERTS.parents[1] / "authserver").rglob("*.py"))
    named = re.findall(r'action="([a-z_.]+)"', ALERTS.read_text())
    assert named
    assert all(f'"{action}"' in sources for action in named)


def test_several_processes_are_shown_as_one_sum(tmp_path):
    count = "from authserver.runtime import metrics\nfor _ in range(3): metrics.tokens_issued('x')"
    show = "from authserver.runtime import metrics\nprint(metrics.exposition({'ES256': 7.0}).decode())"
    environment = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    for code in (count, count, show):
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, cwd=ALERTS.parents[1], capture_output=True, text=True, timeout=60, check=True
        )
    assert 'authserver_tokens_issued_total{grant_type="x"} 6.0' in done.stdout
    assert 'authserver_signing_key_age_seconds{alg="ES256"} 7.0' in done.stdout


def test_counting_alone_does_not_load_the_library_that_shows(tmp_path):
    code = "import sys\nfrom authserver.runtime import metrics\nmetrics.tokens_issued('x')\nprint('prometheus_client' in sys.modules)"
    for environment, expected in (({}, "False\n"), ({"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}, "True\n")):
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, cwd=ALERTS.parents[1], capture_output=True, text=True, timeout=60, check=True
        )
        assert done.stdout == expected
