"""The pages that `lab` and `report` return: shown in a notebook, or saved as a file."""

from html import escape
from pathlib import Path

from netlearn.runs import write_whole


class Page:
    """The interactive page of a comparison or a run, which a notebook shows in a frame; `html` is the document."""

    def __init__(self, html: str) -> None:
        self.html = html

    def save(self, path: str | Path) -> Path:
        """Write the page to a file, and return its path.

        Raises:
            RunError: the file cannot be written.
        """
        write_whole(Path(path), self.html.encode())
        return Path(path)

    def __repr__(self) -> str:
        """Return one line: the size, and how to keep the page."""
        return f"<Page of {len(self.html) / 1000:,.0f} kB; .save(path) writes it>"

    def _repr_html_(self) -> str:
        return (
            f'<iframe title="the page of the result" sandbox="allow-scripts" srcdoc="{escape(self.html)}" '
            'style="width: 100%; height: 600px; border: 1px solid #ccc"></iframe>'
        )
