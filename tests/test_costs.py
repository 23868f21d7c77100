"""bench/aws_bill.py: reckoned by hand, changed by figures, and said in docs/costs.md as it is."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from authserver.runtime.embedded_metrics import AGE, COUNTS, LAG
from bench.aws_bill import FRONTS, HOURS, TABLES, Bill, main, usd
from bench.aws_prices import Assumptions, Prices, with_figures
from tests.aws.stacks import members, resources, schedules
from tests.generated import rewritten

DOCUMENT = Path(__file__).parent.parent / "docs" / "costs.md"


def test_the_tables_of_the_document_are_what_the_computation_gives() -> None:
    text = DOCUMENT.read_text()
    assert text == rewritten(DOCUMENT), "run: make docs"
    assert [name for name in TABLES if text.count(f"<!-- {name} -->\n|") != 1] == []


def test_a_million_tokens_reckoned_by_hand() -> None:
    parts = Bill().parts(Assumptions().token)
    gigabyte = 1769 / 1024
    assert parts["Lambda, requests"] == pytest.approx(0.20)
    assert parts["Lambda, duration"] == pytest.approx(1e6 * 0.015 * gigabyte * 0.0000166667)
    assert parts["Lambda, cold starts"] == pytest.approx(1e4 * 0.46 * gigabyte * 0.0000166667)
    assert parts["KMS, one call per cold start"] == pytest.approx(0.03)
    assert parts["logs and metrics as log lines"] == pytest.approx(0.60)
    assert parts["data to the Internet"] == pytest.approx(0.27)


def test_a_front_adds_its_price_and_its_log() -> None:
    assert {name: round(Bill().front(name, 1e6), 2) for name in FRONTS} == {
        "function URL": 0.0,
        "HTTP API": 1.20,
        "REST API": 3.70,
        "load balancer": 0.06,
    }


def test_a_login_is_seven_requests() -> None:
    login = Assumptions().login
    assert len(login) == 7
    assert Bill().parts(login)["Lambda, requests"] == pytest.approx(1.40)
    assert Bill().flows(login, "HTTP API") == pytest.approx(sum(Bill().parts(login).values()) + 8.40)


@pytest.mark.parametrize(
    ("users", "lite", "essentials", "plus"),
    [(0, 0, 0, 0), (10_000, 0, 0, 200), (100_000, 495, 1350, 2000), (1_000_000, 495 + 4140, 14_850, 20_000)],
)
def test_what_cognito_charges_for_users(users: int, lite: float, essentials: float, plus: float) -> None:
    assert list(Bill().cognito(users).values()) == pytest.approx([lite, essentials, plus])


def test_months_of_an_installation_add_up() -> None:
    bill = Bill()
    assert bill.with_instance(0) == pytest.approx(bill.standing() + bill.monthly()["RDS db.t4g.micro, two zones"])
    assert bill.with_aurora(0) == pytest.approx(bill.standing() + bill.monthly()["Aurora Serverless v2, when nobody is there"])
    assert bill.with_instance(100_001) - bill.with_instance(100_000) > 200, "the larger instance"
    assert bill.of_users(2000) == pytest.approx(2 * bill.of_users(1000))


def test_the_sentences_of_the_document_say_what_the_tables_say() -> None:
    text, bill = " ".join(DOCUMENT.read_text().split()), Bill()
    assert f"some {bill.with_instance(0):.0f} USD a month" in text
    without = bill.standing() - bill.monthly()["KMS endpoint in the VPC"]
    assert f"it is {without:.0f} USD" in text
    logins, tokens = ([bill.flows(flow, front) for front in FRONTS] for flow in (bill.assumed.login, bill.assumed.token))
    assert f"A million logins cost {min(logins):.0f} to {max(logins):.0f} USD" in text
    assert f"a million tokens {min(tokens):.0f} to {max(tokens):.0f}." in text
    plans = {name: int(number.replace(",", "")) for number, name in re.findall(r"(\d[\d,]*)(?: users on)? with (\w+)", text)}
    assert set(plans) == {"Essentials", "Lite", "Plus"}
    for plan, users in plans.items():
        dearer = [bill.cognito(number)[plan] > bill.with_instance(number) for number in (users - 500, users + 500)]
        assert dearer == [False, True], plan


def test_the_figures_are_those_of_the_templates_and_the_server() -> None:
    assumed = Assumptions()
    assert assumed.metrics == len({*COUNTS, AGE, LAG})
    alarms = resources("alarms", "AWS::CloudWatch::Alarm").values()
    looked_at = sum("MetricName" in alarm for alarm in alarms) + sum(name == "Metric" for name, _ in members(list(alarms)))
    assert assumed.alarm_metrics == looked_at
    assert assumed.schedules_month == HOURS * sum(timedelta(hours=1) / every for every in schedules("production").values())


def test_every_price_and_assumption_is_in_the_document() -> None:
    text = DOCUMENT.read_text()
    for numbers in (Prices, Assumptions):
        for item in numbers.__dataclass_fields__.values():
            assert item.metadata["what"] in text, item.name


def test_own_figures_change_the_bill(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--set", "token_ms=30", "--set", "lambda_gb_second=0.0000133334"])
    printed = capsys.readouterr().out
    assert "| `token_ms` | 30 | ms |" in printed
    changed = Bill(*with_figures(["token_ms=30", "lambda_gb_second=0.0000133334"]))
    assert f"| Lambda, duration | {usd(changed.parts(changed.assumed.login)['Lambda, duration'])} |" in printed


@pytest.mark.parametrize(
    ("given", "said"), [("tokens_ms=3", "tokens_ms is not one of"), ("token_ms=much", "NAME=NUMBER"), ("token_ms", "NAME=NUMBER")]
)
def test_a_wrong_figure_is_named(given: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--set", given])
    assert said in capsys.readouterr().err
