"""Words: spans of time as people say them, and the sentences of faults."""

from datetime import timedelta

from authserver.admin.errors import Invalid

UNITS = ((timedelta(days=1), "day"), (timedelta(hours=1), "hour"), (timedelta(minutes=1), "minute"))


def in_words(span: timedelta) -> str:
    """Write a span in its largest unit: `12 days`, `1 hour`, `less than a minute`."""
    for unit, name in UNITS:
        count = span // unit
        if count >= 1:
            return f"{count} {name}" if count == 1 else f"{count} {name}s"
    return "less than a minute"


def sentence(fault: Exception) -> str:
    """Write what admin/ refused as a sentence."""
    text = f"{fault.field.replace('_', ' ')} {fault.why}" if isinstance(fault, Invalid) else str(fault)
    return f"{text[:1].upper()}{text[1:]}."
