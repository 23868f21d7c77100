"""A plan as text for people, line by line, and as a document for programs. No secret is in a plan."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from authserver.admin.configuration.plan import Change, Plan, Step

Document = dict[str, Any]

SIGNS = {"create": "+", "change": "~", "take_over": "=", "delete": "-", "release": "<", "leave": " "}
NOUNS = {"api": "API", "client": "client", "role": "role of"}
WORDS = {
    "create": "to create",
    "change": "to change",
    "take_over": "to take over as they are",
    "delete": "to delete",
    "release": "to give up",
    "leave": "no longer in the file",
}
REMARKS = {
    "delete": " (deleted with all that belongs to it)",
    "release": " (stays as it is, and can be changed everywhere)",
    "leave": " (no longer in the file; --prune deletes it, --release gives it up)",
    "take_over": " (as it is; nobody owned it)",
}


def describe(plan: Plan) -> Iterator[str]:
    """Yield the lines that tell what is to be done."""
    for step in plan.steps:
        remark = REMARKS.get(step.action, " (taken over; nobody owned it)" if step.is_taken_over else "")
        yield f"{SIGNS[step.action]} {NOUNS[step.what]} {step.identifier}{remark}"
        for change in step.changes:
            yield from (f"    {line}" for line in _describe_change(change))
    yield summary(plan)


def summary(plan: Plan) -> str:
    """Say in one sentence how much is to be done."""
    counted: Counter[str] = Counter(step.action for step in plan.steps)
    parts = [f"{counted[action]} {words}" for action, words in WORDS.items() if counted[action]]
    sentence = ", ".join(parts) + "." if parts else ""
    return sentence if plan.has_difference else f"No difference. {sentence}".strip()


def plan_document(name: str, plan: Plan) -> Document:
    """Describe a plan; `name` is who owns what is in the file."""
    return {"name": name, "differs": plan.has_difference, "steps": list(map(_step_document, plan.steps))}


def _step_document(step: Step) -> Document:
    changes = {change.field: {"before": change.before, "after": change.after} for change in step.changes}
    return {
        "action": step.action,
        "what": step.what,
        "id": step.identifier,
        "taken_over": step.is_taken_over,
        "changes": changes,
    }


def _describe_change(change: Change) -> Iterator[str]:
    before, after = change.before, change.after
    if isinstance(after, Mapping) and isinstance(before, (Mapping, type(None))) and change.field in ("scopes", "claims"):
        yield from _describe_members(change.field, before or {}, after)
    elif isinstance(before, list) and isinstance(after, list) and set(map(_show, before)) != set(map(_show, after)):
        signed = [f"- {_show(item)}" for item in before if item not in after] + [f"+ {_show(item)}" for item in after if item not in before]
        yield f"{change.field}: {'  '.join(signed)}"
    elif before is None:
        yield f"{change.field}: {_show(after)}"
    else:
        yield f"{change.field}: {_show(before)} → {_show(after)}"


def _describe_members(field: str, before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[str]:
    for name in {**before, **after}:
        if name not in after:
            yield f"{field}: - {_show(name)}"
        elif name not in before:
            yield f"{field}: + {_show(name)}: {_show(after[name])}"
        elif before[name] != after[name]:
            yield f"{field}: {_show(name)}: {_show(before[name])} → {_show(after[name])}"


def _show(value: Any) -> str:
    """Write a value on one line, without anything that a terminal would act on."""
    if value is None:
        return "(by default)"
    if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
        text = ", ".join(value)
    else:
        text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
    return "".join(character if character.isprintable() else f"\\u{ord(character):04x}" for character in text)
