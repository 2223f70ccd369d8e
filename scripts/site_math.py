"""A hook of mkdocs.yml: the formulas of the notebook's page become MathML, which browsers draw without a script."""

import re
from typing import Any

from latex2mathml.converter import convert

PAGE = "cross-entropy.md"  # the only page with formulas in LaTeX
FORMULA = re.compile(r"```.*?```|`[^`\n]*`|\$\$(?P<block>.+?)\$\$|\$(?P<inline>[^\s$][^$]*?)\$", re.DOTALL)


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Return the text of a page with MathML for each formula; code stays as it is."""
    return FORMULA.sub(_mathml, markdown) if page.file.src_uri == PAGE else markdown


def _mathml(match: re.Match[str]) -> str:
    formula = (match["block"] or match["inline"] or "").replace("'", "′")  # an exponent of its own would float
    if match["block"]:
        return f'<p class="formula">{convert(formula, display="block")}</p>'
    return convert(formula) if formula else match.group()
