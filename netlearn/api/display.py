"""The page of a result, as a notebook shows it."""

from __future__ import annotations  # so that help() and notebooks show the names of types

from html import escape
from pathlib import Path

from netlearn.runs import write_whole


class Page:
    """The interactive page of a comparison or a run, as one HTML document, which a notebook shows in a frame.

    Attributes:
        html: the document.
    """

    def __init__(self, html: str) -> None:
        self.html = html

    def save(self, path: str | Path) -> Path:
        """Write the page to a file, and return its path.

        Raises:
            RunError: the file cannot be written.
        """
        path = Path(path)
        write_whole(path, self.html.encode())
        return path

    def __repr__(self) -> str:
        """Return one line: the size, and how to keep the page."""
        return f"<Page of {len(self.html) / 1000:,.0f} kB; .save(path) writes it>"

    def _repr_html_(self) -> str:
        return (
            f'<iframe title="the page of the result" sandbox="allow-scripts" srcdoc="{escape(self.html)}" '
            'style="width: 100%; height: 600px; border: 1px solid #ccc"></iframe>'
        )
