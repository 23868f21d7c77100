"""What the server costs on AWS: prices and assumptions as data, and from them the tables of docs/costs.md. No account, no network.

`python -m bench.aws_bill` prints the tables; `--set token_ms=8 --set lambda_gb_second=0.0000133334` puts your own figures in.
"""

import argparse
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields

from bench.aws_prices import Assumptions, Prices, with_figures

MILLION = 1_000_000
HOURS = 730  # of a month, as AWS counts
GIGABYTE = 1_000_000_000
SCHEDULES = "schedules, with what they invoke"
FRONTS = ("function URL", "HTTP API", "REST API", "load balancer")
USERS = (1_000, 10_000, 50_000, 100_000, 1_000_000)
MACHINE_TOKENS = (10_000, 100_000, 250_000)


@dataclass(frozen=True)
class Bill:
    """Prices and assumptions, and what follows from them, in USD."""

    prices: Prices = Prices()
    assumed: Assumptions = Assumptions()

    def parts(self, milliseconds: Sequence[float], times: float = MILLION) -> dict[str, float]:
        """What `times` such flows cost behind any front, by part; `milliseconds` are those of a flow's requests."""
        prices, assumed = self.prices, self.assumed
        requests = len(milliseconds) * times
        colds = requests * assumed.cold_share
        warm_seconds, cold_seconds = sum(milliseconds) * times / 1000, colds * assumed.cold_ms / 1000
        return {
            "Lambda, requests": requests / MILLION * prices.lambda_million_requests,
            "Lambda, duration": warm_seconds * self._second,
            "Lambda, cold starts": cold_seconds * self._second,
            "KMS, one call per cold start": colds / 10_000 * prices.kms_ten_thousand,
            "logs and metrics as log lines": requests * assumed.log_bytes / GIGABYTE * prices.log_gb,
            "data to the Internet": requests * assumed.answer_bytes / GIGABYTE * prices.data_out_gb,
        }

    def front(self, name: str, requests: float) -> float:
        """What a front adds for so many requests, without its price per month."""
        prices, assumed = self.prices, self.assumed
        access_log = requests * assumed.access_log_bytes / GIGABYTE * prices.log_gb
        units = requests * assumed.answer_bytes / GIGABYTE / 0.4  # a unit is 0.4 GB per hour where the target is a function
        added = {
            "function URL": 0.0,
            "HTTP API": requests / MILLION * prices.http_api_million + access_log,
            "REST API": requests / MILLION * prices.rest_api_million + access_log,
            "load balancer": units * prices.balancer_unit_hour,
        }
        return added[name]

    def flows(self, milliseconds: Sequence[float], front: str, times: float = MILLION) -> float:
        """What `times` such flows cost behind a front."""
        return sum(self.parts(milliseconds, times).values()) + self.front(front, len(milliseconds) * times)

    def monthly(self) -> dict[str, float]:
        """What stands whether anybody signs in or not, per month, by part; not everybody needs every part."""
        prices, assumed = self.prices, self.assumed
        schedules = assumed.schedules_month * (prices.event_million + prices.lambda_million_requests) / MILLION
        return {
            "KMS key": prices.kms_key_month,
            "metrics of our own": assumed.metrics * prices.metric_month,
            "alarms": assumed.alarm_metrics * prices.alarm_month,
            SCHEDULES: schedules + assumed.schedules_month * assumed.schedule_ms / 1000 * self._second,
            "one secret in Secrets Manager": prices.secret_month,
            "load balancer, before its first request": HOURS * (prices.balancer_hour + assumed.zones * prices.address_hour),
            "KMS endpoint in the VPC": HOURS * assumed.zones * prices.endpoint_hour,
            "NAT gateway, one": HOURS * (prices.nat_hour + prices.address_hour),
            **self.databases(),
        }

    def databases(self) -> dict[str, float]:
        """What the databases of database.yaml cost per month."""
        prices = self.prices
        return {
            "RDS db.t4g.micro, one zone": self._instance(prices.instance_hour),
            "RDS db.t4g.micro, two zones": 2 * self._instance(prices.instance_hour),
            "RDS db.m7g.large, two zones": 2 * self._instance(prices.instance_large_hour),
            "Aurora Serverless v2, when nobody is there": self._aurora(0),
            "RDS Proxy for an instance": HOURS * 2 * prices.proxy_unit_hour,
            "RDS Proxy for Aurora": HOURS * 8 * prices.proxy_unit_hour,
        }

    def standing(self) -> float:
        """The month of an installation behind an HTTP API, with its database in a VPC: all but requests and database."""
        month = self.monthly()
        return sum(month[name] for name in ("KMS key", "metrics of our own", "alarms", SCHEDULES, "KMS endpoint in the VPC"))

    def with_instance(self, users: int) -> float:
        """The whole month of so many users with an RDS instance in two zones."""
        small = users <= self.assumed.small_users
        hour = self.prices.instance_hour if small else self.prices.instance_large_hour
        return self.standing() + 2 * self._instance(hour) + self.of_users(users)

    def with_aurora(self, users: int) -> float:
        """The whole month of so many users with Aurora Serverless v2."""
        return self.standing() + self._aurora(users) + self.of_users(users)

    def of_users(self, users: int) -> float:
        """What so many users a month add to what stands: their logins and refreshes."""
        assumed = self.assumed
        logins = self.flows(assumed.login, "HTTP API", users * assumed.logins_user_month)
        return logins + self.flows(assumed.token, "HTTP API", users * assumed.refreshes_user_month)

    def cognito(self, users: int) -> dict[str, float]:
        """What Cognito charges for so many users a month who sign in with a password, by plan."""
        prices = self.prices
        beyond_free, beyond_100k = max(0, users - 10_000), max(0, users - 100_000)
        return {
            "Lite": (beyond_free - beyond_100k) * prices.cognito_lite + beyond_100k * prices.cognito_lite_100k,
            "Essentials": beyond_free * prices.cognito_essentials,
            "Plus": users * prices.cognito_plus,
        }

    def _instance(self, hour: float) -> float:
        return HOURS * hour + self.assumed.storage_gb * self.prices.instance_gb_month

    def _aurora(self, users: int) -> float:
        units = self.assumed.aurora_units + self.assumed.aurora_units_100k * users / 100_000
        return HOURS * units * self.prices.aurora_unit_hour + self.assumed.storage_gb * self.prices.aurora_gb_month

    @property
    def _second(self) -> float:
        return self.assumed.memory_mb / 1024 * self.prices.lambda_gb_second


def prices(bill: Bill) -> str:
    """The table of prices."""
    return _table(("price", "USD", ""), _figures(bill.prices))


def assumptions(bill: Bill) -> str:
    """The table of assumptions, with the names that `--set` takes."""
    return _table(("assumption", "`--set`", "value", ""), _figures(bill.assumed, named=True))


def per_million(bill: Bill) -> str:
    """What a million logins and a million tokens cost, by part and by front."""
    login, token = bill.parts(bill.assumed.login), bill.parts(bill.assumed.token)
    rows = [(name, usd(login[name]), usd(token[name])) for name in login]
    rows += [
        (f"**all of it, behind: {name}**", _bold(bill.flows(bill.assumed.login, name)), _bold(bill.flows(bill.assumed.token, name)))
        for name in FRONTS
    ]
    return _table(("USD", "a million logins", "a million tokens"), rows)


def monthly(bill: Bill) -> str:
    """What stands by the month."""
    return _table(("part", "USD a month"), [(name, usd(value)) for name, value in bill.monthly().items()])


def cognito(bill: Bill) -> str:
    """This server with either database beside Cognito's plans, by users a month."""
    rows = [
        (
            f"{users:,}",
            usd(bill.with_instance(users)),
            usd(bill.with_aurora(users)),
            *(usd(value) for value in bill.cognito(users).values()),
        )
        for users in USERS
    ]
    return _table(("users a month", "here, RDS", "here, Aurora", "Cognito Lite", "Cognito Essentials", "Cognito Plus"), rows)


def machines(bill: Bill) -> str:
    """Client credentials tokens here, without what stands by the month, beside Cognito."""
    rows = [
        (
            f"{tokens:,}",
            usd(bill.flows(bill.assumed.token, "HTTP API", tokens)),
            usd(tokens / 1000 * bill.prices.cognito_machine_thousand),
        )
        for tokens in MACHINE_TOKENS
    ]
    return _table(("tokens a month", "here", "Cognito"), rows)


TABLES: Mapping[str, Callable[[Bill], str]] = {
    "aws per million": per_million,
    "aws by the month": monthly,
    "aws beside cognito": cognito,
    "aws machines": machines,
    "aws assumptions": assumptions,
    "aws prices": prices,
}


def usd(value: float) -> str:
    """Write an amount: cents below a thousand, whole dollars from there."""
    return f"{value:,.2f}" if value < 1000 else f"{value:,.0f}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print every table."""
    parser = argparse.ArgumentParser(prog="python -m bench.aws_bill", description="What the server costs on AWS.")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a price or an assumption of your own")
    given = parser.parse_args(arguments)
    try:
        bill = Bill(*with_figures(given.set))
    except ValueError as error:
        parser.error(str(error))
    print("\n\n".join(write(bill) for write in TABLES.values()))


def _bold(value: float) -> str:
    return f"**{usd(value)}**"


def _figures(numbers: Prices | Assumptions, *, named: bool = False) -> list[tuple[str, ...]]:
    rows = []
    for item in fields(numbers):
        name = (f"`{item.name}`",) if named else ()
        rows.append((item.metadata["what"], *name, f"{getattr(numbers, item.name):.10f}".rstrip("0").rstrip("."), item.metadata["unit"]))
    return rows


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    numeric = [index > 0 and (bool(name) and name not in ("`--set`",)) for index, name in enumerate(head)]
    lines = [head, ["---:" if right else "---" for right in numeric], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    main()
