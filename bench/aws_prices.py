"""Prices of AWS and assumptions about what a server does, as data: what bench/aws_bill.py reckons with."""

from collections.abc import Iterable
from dataclasses import dataclass, field, fields, replace
from typing import Any


def figure(value: float, what: str, unit: str) -> Any:
    """Declare a number that a reader can put their own in place of."""
    return field(default=value, metadata={"what": what, "unit": unit})


@dataclass(frozen=True, kw_only=True)
class Prices:
    """List prices of us-east-1 in USD, noted in November 2026, without free tiers, discounts and taxes."""

    lambda_million_requests: float = figure(0.20, "Lambda, requests", "per million")
    lambda_gb_second: float = figure(0.0000166667, "Lambda, duration on x86_64 (arm64: 0.0000133334)", "per GB-second")
    http_api_million: float = figure(1.00, "HTTP API, requests", "per million")
    rest_api_million: float = figure(3.50, "REST API, requests", "per million")
    balancer_hour: float = figure(0.0225, "load balancer", "per hour")
    balancer_unit_hour: float = figure(0.008, "load balancer, capacity unit", "per hour")
    address_hour: float = figure(0.005, "public IPv4 address", "per hour")
    data_out_gb: float = figure(0.09, "data to the Internet", "per GB")
    log_gb: float = figure(0.50, "CloudWatch Logs, ingestion", "per GB")
    metric_month: float = figure(0.30, "CloudWatch, metric of our own", "per month")
    alarm_month: float = figure(0.10, "CloudWatch, metric of an alarm", "per month")
    event_million: float = figure(1.00, "EventBridge, events (schedules are at most this)", "per million")
    kms_key_month: float = figure(1.00, "KMS, key", "per month")
    kms_ten_thousand: float = figure(0.03, "KMS, calls", "per 10,000")
    secret_month: float = figure(0.40, "Secrets Manager, secret", "per month")
    instance_hour: float = figure(0.016, "RDS PostgreSQL, db.t4g.micro in one zone", "per hour")
    instance_large_hour: float = figure(0.168, "RDS PostgreSQL, db.m7g.large in one zone", "per hour")
    instance_gb_month: float = figure(0.115, "RDS PostgreSQL, gp3 storage in one zone", "per GB and month")
    aurora_unit_hour: float = figure(0.12, "Aurora Serverless v2, capacity unit", "per hour")
    aurora_gb_month: float = figure(0.10, "Aurora, storage", "per GB and month")
    proxy_unit_hour: float = figure(0.015, "RDS Proxy, per vCPU (at least 2) or Aurora capacity unit (at least 8)", "per hour")
    endpoint_hour: float = figure(0.01, "VPC interface endpoint in one zone", "per hour")
    nat_hour: float = figure(0.045, "NAT gateway", "per hour")
    cognito_lite: float = figure(0.0055, "Cognito Lite, users beyond 10,000", "per user")
    cognito_lite_100k: float = figure(0.0046, "Cognito Lite, users beyond 100,000", "per user")
    cognito_essentials: float = figure(0.015, "Cognito Essentials, users beyond 10,000", "per user")
    cognito_plus: float = figure(0.02, "Cognito Plus, every user", "per user")
    cognito_machine_thousand: float = figure(2.25, "Cognito, client credentials tokens, up to 250,000", "per 1,000")


@dataclass(frozen=True, kw_only=True)
class Assumptions:
    """What is not a price. Durations are of a warm container, from call to answer, database included."""

    memory_mb: float = figure(1769, "memory of the function, which is one processor", "MB")
    authorize_ms: float = figure(15, "GET /oauth2/authorize, twice in a login", "ms")
    page_ms: float = figure(10, "GET the sign-in page", "ms")
    stylesheet_ms: float = figure(3, "GET its stylesheet", "ms")
    password_ms: float = figure(70, "POST the password, argon2id included", "ms")
    token_ms: float = figure(15, "POST /oauth2/token, of whatever grant", "ms")
    userinfo_ms: float = figure(10, "GET /oidc/userinfo", "ms")
    cold_share: float = figure(0.01, "share of requests that start a container", "of 1")
    cold_ms: float = figure(460, "start of a container, which is billed", "ms")
    log_bytes: float = figure(1200, "log lines of a request: ours, Lambda's, and the metrics", "bytes")
    access_log_bytes: float = figure(400, "line of the access log of API Gateway", "bytes")
    answer_bytes: float = figure(3000, "answer with its headers", "bytes")
    zones: float = figure(2, "availability zones", "")
    metrics: float = figure(9, "metrics of our own", "")
    alarm_metrics: float = figure(13, "metrics that alarms.yaml looks at", "")
    schedules_month: float = figure(10_220, "scheduled invocations: mail every five minutes, janitor and keys every hour", "per month")
    schedule_ms: float = figure(50, "a scheduled invocation", "ms")
    storage_gb: float = figure(20, "storage of the database", "GB")
    aurora_units: float = figure(0.5, "capacity of Aurora when nobody is there", "units")
    aurora_units_100k: float = figure(0.4, "mean capacity of Aurora, more for each 100,000 users", "units")
    small_users: float = figure(100_000, "users that the smallest RDS instance is enough for", "")
    logins_user_month: float = figure(4, "logins of a user", "per month")
    refreshes_user_month: float = figure(60, "refreshes of a user", "per month")

    @property
    def login(self) -> tuple[float, ...]:
        """The milliseconds of each request of one login."""
        pages = (self.authorize_ms, self.page_ms, self.stylesheet_ms, self.password_ms, self.authorize_ms)
        return (*pages, self.token_ms, self.userinfo_ms)

    @property
    def token(self) -> tuple[float, ...]:
        """The milliseconds of the one request of a token."""
        return (self.token_ms,)


def with_figures(texts: Iterable[str]) -> tuple[Prices, Assumptions]:
    """Put `name=value` figures in the place of ours. Raises ValueError that names what is wrong."""
    given = [_one_figure(text) for text in texts]
    known = {item.name: kind for kind in (Prices, Assumptions) for item in fields(kind)}
    for name, _ in given:
        if name not in known:
            raise ValueError(f"{name} is not one of {', '.join(sorted(known))}")
    of_prices = {name: value for name, value in given if known[name] is Prices}
    of_assumptions = {name: value for name, value in given if known[name] is Assumptions}
    return replace(Prices(), **of_prices), replace(Assumptions(), **of_assumptions)


def _one_figure(text: str) -> tuple[str, float]:
    name, _, value = text.partition("=")
    try:
        return name, float(value)
    except ValueError:
        raise ValueError(f"{text} is not written NAME=NUMBER") from None
