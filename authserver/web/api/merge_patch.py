"""JSON Merge Patch (RFC 7396): null removes a member, an object is merged, anything else replaces."""

from typing import Any

MEDIA_TYPE = "application/merge-patch+json"


def merge(target: Any, patch: Any) -> Any:
    """Return `target` with `patch` applied; neither is changed (section 2)."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged.get(name), value)
    return merged


def changes(document: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """Return the members that `patch` names, as they are after it; None for one that it removes."""
    merged = merge(document, patch)
    return {name: merged.get(name) for name in patch}
