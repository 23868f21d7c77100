"""The benchmark of cold starts runs, and knows its limits; how fast anything is, is not tested."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.cold_start import lines, too_much

OURS = {"init_cpu_ms": 440.0, "first_ms": 2.0, "warm_ms": 0.6, "bytes": 20 * 2**20}
STOCK = {"init_cpu_ms": 300.0, "first_ms": 1370.0, "warm_ms": 0.6, "bytes": 47 * 2**20}


@pytest.mark.slow
def test_it_starts_the_package_and_asks_it(package: Path, tmp_path: Path) -> None:
    output = tmp_path / "results.json"
    command = [sys.executable, "-m", "bench.cold_start", "--package", str(package), "--no-stock", "--rounds", "1", "--output", str(output)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if "error sending request" in done.stderr:
        pytest.skip("the registry cannot be reached")
    figures = json.loads(output.read_text())["figures"]["authserver"]
    assert figures["bytes"] == package.stat().st_size
    assert 0 < figures["warm_ms"] < figures["init_cpu_ms"]
    assert "authserver" in done.stdout


def test_the_limits_go_with_what_the_machine_takes_for_zappas_own_package() -> None:
    twice = {name: 2 * value for name, value in OURS.items()}
    slower = {name: 2 * value for name, value in STOCK.items()}
    assert too_much({"authserver": OURS}) == []
    assert too_much({"authserver": OURS, "Zappa's own": STOCK}) == []
    assert [line.partition(":")[0] for line in too_much({"authserver": twice, "Zappa's own": STOCK})] == ["init_cpu_ms", "bytes"]
    assert [line.partition(":")[0] for line in too_much({"authserver": twice, "Zappa's own": slower})] == ["bytes"]


def test_the_table_has_both_side_by_side() -> None:
    table = lines({"figures": {"authserver": OURS, "Zappa's own": STOCK}})
    assert [row.split()[0] for row in table[1:]] == ["authserver", "Zappa's"]
