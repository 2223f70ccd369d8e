"""Compares messages by their facts: names, values, paths, flags and numbers, not the words between them."""

import re

FACT = re.compile(
    r"--[\w-]+|[^\s,;()]*[\d_/'\[\]][^\s,;()]*|[\w-]+[.-]\w[\w.-]*|[^\x00-\x7f]+|(?<!\S)(?!Error:)[\w.-]+:(?!/)\S*"
)


def facts(text: str) -> list[str]:
    """Return the facts in a text: flags, numbers, quoted values, paths, names with a dot or a dash, labels."""
    return [fact.strip(".:") for fact in FACT.findall(text)]


def has_facts(message: str, expected: str) -> bool:
    """Return whether a message is one line with all the facts of the expected one, which must hold one at least."""
    assert facts(expected), f"{expected!r} holds no fact: the test could not fail"
    assert len(message.strip().splitlines()) == 1, message
    found = " ".join(message.split())
    missing = [fact for fact in facts(expected) if not _holds(found, fact)]
    assert not missing, f"{missing} not in {message!r}"
    return True


def _holds(text: str, fact: str) -> bool:
    """Return whether a text holds a fact that is no part of a longer word."""
    before, after = (r"(?<!\w)" if fact[0].isalnum() else ""), (r"(?!\w)" if fact[-1].isalnum() else "")
    return re.search(before + re.escape(fact) + after, text) is not None
