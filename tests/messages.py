"""Compares messages by their facts: names, values, paths, flags and numbers, not the words between them."""

import re

FACT = re.compile(r"--[\w-]+|[^\s,;()]*[\d_/'\[\]][^\s,;()]*|[\w-]+[.-]\w[\w.-]*|[^\x00-\x7f]+")


def facts(text: str) -> list[str]:
    """Return the facts in a text: flags, numbers, quoted values, paths, names with a dot or a dash."""
    return [fact.strip(".:") for fact in FACT.findall(text)]


def has_facts(message: str, expected: str) -> bool:
    """Return whether a message is one line with all the facts of the expected one."""
    assert len(message.strip().splitlines()) == 1, message
    found = " ".join(message.split())
    missing = [fact for fact in facts(expected) if fact not in found]
    assert not missing, f"{missing} not in {message!r}"
    return True
