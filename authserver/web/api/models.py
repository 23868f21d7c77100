"""What all bodies, queries and documents of the admin API share: unknown members are refused, and nothing is coerced."""

import re
from typing import Annotated, Any, Generic, TypeVar

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from authserver.admin.paging import MOST, USUAL

RFC_3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})")
LONGEST_TEXT = 255

Item = TypeVar("Item")


def _check_instant(value: Any) -> Any:
    if not isinstance(value, str) or not RFC_3339.fullmatch(value):
        raise ValueError("must be an instant like 2026-01-31T12:00:00Z (RFC 3339)")
    return value.upper()


def _check_text(value: str) -> str:
    if not value.isprintable():
        raise ValueError("must not contain control characters")
    return value


Instant = Annotated[str, Field(json_schema_extra={"format": "date-time"})]
"""An instant in an answer, as RFC 3339 writes it, in UTC."""
Day = Annotated[str, Field(json_schema_extra={"format": "date"})]
"""A day in an answer, as RFC 3339 writes it."""
GivenInstant = Annotated[AwareDatetime, BeforeValidator(_check_instant)]
"""An instant in a query."""
Uri = Annotated[str, Field(json_schema_extra={"format": "uri"})]
"""A URI; which ones may be taken is checked by admin/."""
Name = Annotated[str, Field(min_length=1, max_length=200)]
"""What people read."""
Id = Annotated[str, Field(max_length=LONGEST_TEXT, pattern=r"^[\x21-\x7e]*$")]
"""An id, a code or the like, in ASCII: MariaDB compares nothing else with these."""
Text = Annotated[str, Field(max_length=LONGEST_TEXT), BeforeValidator(_check_text)]
"""A text in a query."""


class Shape(BaseModel):
    """A JSON object: no member but those it declares, and no value of another type."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Body(Shape):
    """The JSON object that a request sends."""

    def given(self) -> dict[str, Any]:
        """Return the members that were sent, null among them."""
        return self.model_dump(exclude_unset=True)


def _without_defaults(schema: dict[str, Any]) -> None:
    for member in schema["properties"].values():
        member.pop("default", None)


class Patch(Body):
    """A JSON Merge Patch: what is not sent stays, so that no member has a default."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)


class Query(BaseModel):
    """The parameters of a request's query; they are texts, and so are converted."""

    model_config = ConfigDict(extra="forbid")

    def given(self) -> dict[str, Any]:
        """Return the parameters that were sent, by the names that admin/ has for them."""
        return self.model_dump(exclude_unset=True)


class PageQuery(Query):
    """Which page of a list."""

    page_token: str = Field("", max_length=2000, description="The `next_page_token` of the page before; none for the first page.")
    page_size: int = Field(USUAL, ge=1, le=MOST, description="How many items at most.")


class Document(Shape):
    """The JSON object of an answer."""


class ListOf(Document, Generic[Item]):
    """A page of a list."""

    items: list[Item] = Field(description="The items of this page.")
    next_page_token: str | None = Field(description="What to send as `page_token` for the next page; null on the last one.")


class FaultDocument(Document):
    """One value that cannot be taken."""

    detail: str = Field(description="What the value must be.")
    pointer: str | None = Field(None, description="Where it is in the body: a JSON pointer (RFC 6901) as a URI fragment.")
    parameter: str | None = Field(None, description="Its name, where it is a parameter of the query.")


class ProblemDocument(Document):
    """What went wrong (RFC 9457)."""

    type: str = Field(json_schema_extra={"format": "uri"}, description="The kind of problem; the address leads to its explanation.")
    title: str = Field(description="The kind of problem, for people.")
    status: int = Field(description="The status of this answer.")
    detail: str = Field(description="What went wrong this time, for people.")
    request_id: str = Field(description="The id of this request in the logs.")
    errors: list[FaultDocument] | None = Field(None, description="The values that cannot be taken.")
