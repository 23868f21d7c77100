"""What is told of the measurements: one document as JSON, and the same as tables."""

from collections.abc import Iterator, Mapping
from statistics import median
from typing import Any

from bench.load import Sent
from bench.operations import MOST_CPU_AT, OPERATIONS

MOST_IMPORT_MS, MOST_HELP_MS = 400.0, 150.0

Document = dict[str, Any]


def summarize(operation: str, server: str, rounds: list[Sent]) -> Document:
    """Sum up the rounds of one operation on one server. CPU time is that of the quietest round; the others are there too."""
    times = len(rounds[0].latencies)
    latencies = sorted(latency for sent in rounds for latency in sent.latencies)
    cpu = [sent.cpu_seconds / times * 1e6 for sent in rounds]
    return {
        "operation": operation,
        "server": server,
        "requests": len(latencies),
        "requests_per_second": round(median(times / sent.seconds for sent in rounds), 1),
        "p50_ms": round(latencies[len(latencies) // 2] / 1e6, 3),
        "p99_ms": round(latencies[len(latencies) * 99 // 100] / 1e6, 3),
        "cpu_us": round(min(cpu), 1),
        "cpu_us_median": round(median(cpu), 1),
        "cpu_us_rounds": [round(value, 1) for value in cpu],
        "database_cpu_us": round(min(sent.database_cpu_seconds for sent in rounds) / times * 1e6, 1),
    }


def compare(measured: list[Document], peer: str | None) -> None:
    """Add to each measurement of ours how many times more CPU time the peer takes."""
    of_peer = {item["operation"]: item for item in measured if item["server"] == peer}
    for item in measured:
        if item["server"] != peer and item["operation"] in of_peer:
            item["ratio"] = round(of_peer[item["operation"]]["cpu_us"] / item["cpu_us"], 2)
            item["ratio_median"] = round(of_peer[item["operation"]]["cpu_us_median"] / item["cpu_us_median"], 2)


def targets(document: Document) -> list[Document]:
    """Say of each target whether it is met. Limits on CPU time are taken down or up by this machine's RSA signature."""
    scale = document["machine"]["rsa2048_sign_us"] / MOST_CPU_AT
    found = []
    for item in document["measured"]:
        operation = OPERATIONS[item["operation"]]
        name = f"{operation.title} on {item['server']}"
        if operation.most_cpu is not None and item["server"] != document["peer"]:
            found.append(_at_most(f"{name}, CPU µs", operation.most_cpu * scale, item["cpu_us"]))
        if "ratio" in item:
            found.append(
                {"target": f"{name}, ratio", "at_least": operation.ratio, "is": item["ratio"], "met": item["ratio"] >= operation.ratio}
            )
    for name, limit in (("import_ms", MOST_IMPORT_MS), ("help_ms", MOST_HELP_MS)):
        if name in document["startup"]:
            found.append(_at_most(name.replace("_ms", ", CPU ms"), limit, document["startup"][name]))
    return found


def _at_most(name: str, limit: float, value: float) -> Document:
    return {"target": name, "at_most": round(limit, 1), "is": value, "met": value <= limit}


def lines(document: Document) -> Iterator[str]:
    """Yield the tables."""
    about = document["machine"]
    yield (
        f"{about['processor']}, {about['processors']} processors, Python {about['python']}; "
        f"a signature takes {about['rsa2048_sign_us']} µs with RSA-2048, {about['es256_sign_us']} µs with P-256"
    )
    yield ""
    yield f"{'operation':27}{'server':26}{'req/s':>8}{'p50 ms':>9}{'p99 ms':>9}{'CPU µs':>9}{'database':>10}{'ratio':>7}"
    before = None
    for item in document["measured"]:
        title = OPERATIONS[item["operation"]].title if item["operation"] != before else ""
        before = item["operation"]
        yield (
            f"{title:27}{item['server']:26}{item['requests_per_second']:8.0f}{item['p50_ms']:9.2f}{item['p99_ms']:9.2f}"
            f"{item['cpu_us']:9.0f}{item['database_cpu_us'] or '':>10}{_ratio(item):>7}"
        )
    yield ""
    for name, value in document["startup"].items():
        yield f"{name.replace('_ms', '')}: {value:.0f} ms CPU in a cold process"
    missed = [item for item in document["targets"] if not item["met"]]
    yield f"{len(document['targets']) - len(missed)} of {len(document['targets'])} targets met" + (":" if missed else "")
    for item in missed:
        yield f"  missed: {item['target']} is {item['is']}, not {_limit(item)}"


def _ratio(item: Mapping[str, Any]) -> str:
    return f"{item['ratio']:.2f}" if "ratio" in item else ""


def _limit(item: Mapping[str, Any]) -> str:
    return f"≤ {item['at_most']}" if "at_most" in item else f"≥ {item['at_least']}"
