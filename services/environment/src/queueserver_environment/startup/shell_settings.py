"""The settings of the stand-in for IPython's shell: a mapping like IPython's own, with nothing in it."""

from typing import Any


class ShellSettings(dict[str, Any]):
    """Stores settings and returns them; nothing acts on them.

    As in IPython a section, whose name begins with a capital, is created when it is named, and names are attributes.
    """

    def __missing__(self, key: str) -> Any:
        if not _is_section(key):
            raise KeyError(key)
        section = self[key] = ShellSettings()
        return section

    def __getattr__(self, name: str) -> Any:
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: object) -> None:
        self[name] = value

    def __delattr__(self, name: str) -> None:
        self.pop(name, None)


def _is_section(key: object) -> bool:
    return isinstance(key, str) and key[:1].isupper()
