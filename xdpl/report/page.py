"""The whole page: head, contents, sections."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from xdpl.report.elements import escape
from xdpl.report.sections import SECTIONS

if TYPE_CHECKING:
    from xdpl.report.facts import Facts

__all__ = ["page"]

# Attributes that are named at the top.
_MOST = 8
# The page may load nothing from anywhere, and runs no scripts, whatever names in the data say.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def page(facts: Facts) -> str:
    """The HTML document."""
    written = [(section, section.write(facts)) for section in SECTIONS]
    written = [(section, body) for section, body in written if body]
    links = "".join(f'<li><a href="#{s.name}">{escape(s.heading)}</a></li>' for s, _ in written)
    body = "".join(
        f'<section id="{s.name}" aria-labelledby="{s.name}-heading">'
        f'<h2 id="{s.name}-heading">{escape(s.heading)}</h2>\n{inside}</section>\n'
        for s, inside in written
    )
    return (
        f"{_head(facts.title)}<body>\n"
        '<a class="skip" href="#content">Skip to the content</a>\n'
        f"<header><h1>{escape(facts.title)}</h1>\n{_summary(facts)}{_left_out(facts)}</header>\n"
        f'<nav aria-label="Contents"><ul>{links}</ul></nav>\n<main id="content">\n{body}</main>\n'
        "<footer><p>Written by xdpl. A single file: it loads nothing and runs no scripts.</p></footer>\n"
        "</body>\n</html>\n"
    )


def _head(title: str) -> str:
    css = files("xdpl.report").joinpath("page.css").read_text("utf8")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="color-scheme" content="light dark">\n'
        # Without it browsers ask the server for an icon.
        '<link rel="icon" href="data:,">\n'
        f"<title>{escape(title)} (xdpl report)</title>\n<style>\n{css}</style>\n</head>\n"
    )


def _summary(facts: Facts) -> str:
    s = facts.fit.settings
    sites = f"{s['training_sites']} site{'s' * (s['training_sites'] != 1)}"
    names = list(facts.fit.attributes)
    attributes = ", ".join(names) if 0 < len(names) <= _MOST else f"{len(names)} attributes"
    text = f"{facts.fit.model.name} learned from {attributes} at {sites}, {s['train'][0]} to {s['train'][1]}."
    return f'<p class="summary">{escape(text)}</p>\n'


def _left_out(facts: Facts) -> str:
    if not facts.left_out:
        return ""
    lines = "".join(
        f"<li>{escape(f'{left.what}: {left.why}.')} <code>{escape(left.how)}</code></li>"
        for left in facts.left_out
    )
    return (
        f'<aside aria-label="Left out"><p>Not in this page, and what adds it:</p><ul>{lines}</ul></aside>\n'
    )
