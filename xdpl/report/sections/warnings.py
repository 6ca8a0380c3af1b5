"""What to be careful about, first of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdpl.report.elements import details, escape, items, paragraph
from xdpl.report.rules import RULES

if TYPE_CHECKING:
    from xdpl.report.facts import Facts
    from xdpl.report.rules import Finding, Rule

__all__ = ["warnings"]


def warnings(facts: Facts) -> str:
    """Findings of all rules, then the rules that found nothing and those that could not look."""
    looked = [(rule, rule.look(facts)) for rule in RULES]
    found = [(rule, finding) for rule, findings in looked for finding in findings or ()]
    sound = [rule.says for rule, findings in looked if findings == []]
    unknown = [rule.says for rule, findings in looked if findings is None]
    if found:
        out = f'<ol class="warnings">{"".join(_item(*pair) for pair in found)}</ol>\n'
    else:
        out = paragraph(f"Nothing was found by the {_checks(sound)} that could be made.", kind="sound")
    if sound:
        out += details(f"{_checks(sound)} found nothing", items(sound))
    if unknown:
        out += details(f"{_checks(unknown)} could not be made", items(unknown))
    return out


def _checks(names: list[str]) -> str:
    return f"{len(names)} check{'s' * (len(names) != 1)}"


def _item(rule: Rule, finding: Finding) -> str:
    text = finding.found[0].upper() + finding.found[1:]
    return (
        f"<li><strong>{escape(text)}.</strong> {escape(finding.todo)} "
        f"<cite>Documentation: {escape(rule.page)}</cite></li>"
    )
