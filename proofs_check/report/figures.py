"""A claim's figure as inline SVG: small, with a title, and with ids that no other figure of the page has."""

from __future__ import annotations

import io
import re
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proofs_check.core import Claim


def svg(item: Claim) -> str:
    """The figure, or nothing if the claim has none.

    >>> from proofs_check import registry
    >>> svg(registry()["trades-eq1"])
    ''
    """
    if item.figure is None:
        return ""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6, 3.0), layout="constrained")
    item.figure(figure.subplots())
    stream = io.StringIO()
    with mpl.rc_context({"svg.hashsalt": "tightrope", "svg.fonttype": "none"}):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return _inlined(stream.getvalue(), item)


def _inlined(text: str, item: Claim) -> str:
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", text, flags=re.DOTALL)
    text = re.sub(r"<style.*?</style>", "", text, flags=re.DOTALL)  # page.css says it once
    text = re.sub(r'\s(?:xmlns(?::\w+)?|version)="[^"]*"', "", text)
    used = set(re.findall(r"#([\w.-]+)", text))
    text = re.sub(r' id="([^"]*)"', lambda found: f' id="{item.key}-{found[1]}"' * (found[1] in used), text)
    text = re.sub(r'href="#', f'href="#{item.key}-', text).replace("url(#", f"url(#{item.key}-")
    text = re.sub(r"<[^>]*>", _shortened, re.sub(r">\s+<", "><", text))
    text = re.sub(r"<defs></defs>|<g></g>", "", text)
    title = f'<title id="{item.key}-title">{escape(item.label)} of {item.paper}: {escape(item.statement)}</title>'
    head, _, rest = text.partition(">")
    return f'{head} role="img" aria-labelledby="{item.key}-title">{title}{rest}'


def _shortened(tag: re.Match[str]) -> str:
    """A tag with coordinates to tenths of a point; what stands between tags is for people, and is not touched."""
    text = re.sub(r"\d+\.\d{2,}", lambda number: f"{float(number[0]):.1f}".removesuffix(".0"), tag[0])
    text = re.sub(r"'DejaVu Sans'[^;]*, sans-serif", "sans-serif", text)
    text = re.sub(r' transform="rotate\(-0 [^"]*"', "", text)
    return re.sub(r"\s+", " ", text).replace("; ", ";").replace(": ", ":")
