"""Writes docs/api.md from the docstrings of `netlearn.api`, with griffe2md: python -m scripts.api_page."""

import re
from pathlib import Path
from typing import Any

import griffe
import griffe2md

PAGE = Path(__file__).parents[1] / "docs" / "api.md"
OBJECTS = ("train", "compare", "lab", "load", "Result", "RunResult", "ComparisonResult", "Page")
PROFILE = "cost_profile.Profile"
OPTIONS: dict[str, Any] = {
    "heading_level": 2,
    "inherited_members": False,
    "line_length": 100,
    "members_order": "source",
    "merge_init_into_class": False,
    "show_if_no_docstring": False,
    "show_object_full_path": False,
    "show_root_full_path": False,
    "show_signature_annotations": True,
    "summary": False,
}


def render() -> str:
    """Return the page: the docstring of the package, then each object that it exports, and the profile of a cost."""
    netlearn = griffe.load("netlearn", docstring_parser="google")
    package = netlearn["api"]
    objects = [*(package[name].final_target for name in OBJECTS), netlearn[PROFILE]]
    parts = [griffe2md.render_object_docs(each, OPTIONS) for each in objects]
    body = re.sub(r"^```python$", "```py", "\n".join(parts), flags=re.MULTILINE)  # signatures, which nobody runs
    body = re.sub(r"\[([^]]+)\]\(#([\w.,]*)\)", _link, body)
    body = re.sub(r"^(#+ `)netlearn\.[a-z_.]+\.", r"\1", body, flags=re.MULTILINE)  # a heading is Class.member
    body = re.sub(r"\n{3,}", "\n\n", body.replace("- ****", r"- **\*\*").strip())
    return f"# The Python API\n\n{package.docstring.value}\n\n{body}\n"


def _link(match: re.Match[str]) -> str:
    """Return a link to an object of this page; the name alone of any other."""
    text, target = match[1], match[2].rpartition(".")[2]
    return f"[{text}](#{target.lower()})" if target in OBJECTS else text


if __name__ == "__main__":
    PAGE.write_text(render(), "utf-8")
