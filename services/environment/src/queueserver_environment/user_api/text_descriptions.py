"""Descriptions of plans as text for people: for tooltips and help windows of graphical clients."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

_LISTS: Final = ("devices", "plans", "enums")
_LIMITS: Final = ("min", "max", "step")


def format_text_descriptions(item_parameters: Mapping[str, Any], *, use_html: bool = False) -> dict[str, Any]:
    """Format the description of a plan.

    Parameters
    ----------
    item_parameters
        Description of the plan, as in the lists of plans; an empty one gives nothing.
    use_html
        HTML instead of plain text. Texts of the plan's author are inserted unchanged.

    Returns
    -------
    dict
        `description`: a text about the plan; `parameters`: a text about each parameter, by its name.

    """
    if not item_parameters:
        return {}
    style = _Style(use_html)
    about = [style.line("Name", str(item_parameters.get("name", "-"))), str(item_parameters.get("description", ""))]
    return {
        "description": style.joined(about),
        "parameters": {item["name"]: _about(item, style) for item in item_parameters.get("parameters", [])},
    }


class _Style:
    def __init__(self, use_html: bool) -> None:
        self._html = use_html

    def line(self, label: str, value: str) -> str:
        return f"<i>{label}:</i> <b>{value}</b>" if self._html else f"{label}: {value}"

    def listed(self, name: str, values: tuple[str, ...]) -> str:
        return f"<b>{name}:</b> {values}" if self._html else f"{name}: {values}"

    def joined(self, lines: list[str]) -> str:
        text = "\n".join(line for line in lines if line)
        return text.replace("\n", "<br>") if self._html else text


def _about(item: Mapping[str, Any], style: _Style) -> str:
    annotation = item.get("annotation", {})
    limits = [style.line(limit.capitalize(), str(item[limit])) for limit in _LIMITS if limit in item]
    return style.joined(
        [
            style.line("Name", item["name"]),
            style.line("Type", annotation.get("type", "-")),
            *(style.listed(name, values) for name, values in _name_lists(annotation)),
            style.line("Default", str(item.get("default", "-"))),
            " ".join(limits),
            item.get("description", ""),
        ]
    )


def _name_lists(annotation: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for key in _LISTS:
        for name, values in annotation.get(key, {}).items():
            yield name, tuple(values)
