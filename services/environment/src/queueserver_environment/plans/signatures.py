"""Signatures and hints of user code as they were written.

From Python 3.14 on, hints are evaluated when they are asked for, and a name that exists for type checkers only raises
NameError then. Guarantees: such a hint breaks neither the signature nor the other hints: it is a ForwardRef, whose text
is the name, as where the author put it in quotes.
"""

import inspect
import sys
from collections.abc import Callable, Mapping
from typing import Any

if sys.version_info >= (3, 14):
    from annotationlib import Format, get_annotations

    def signature_of(function: Callable[..., Any]) -> inspect.Signature:
        """Return the signature. Raises ValueError or TypeError if there is none."""
        return inspect.signature(function, annotation_format=Format.FORWARDREF)

    def signature_text(function: Callable[..., Any]) -> str:
        """Print the signature. Raises ValueError or TypeError if there is none."""
        try:
            signature = inspect.signature(function)
        except NameError:
            signature = inspect.signature(function, annotation_format=Format.STRING)
        return signature.format(quote_annotation_strings=False)

    def hints_of(annotated: Any) -> Mapping[str, Any]:
        """Return the hints of a function or class by name, not yet evaluated if they are text."""
        return get_annotations(annotated, format=Format.FORWARDREF)

else:
    signature_of = inspect.signature

    def signature_text(function: Callable[..., Any]) -> str:
        """Print the signature. Raises ValueError or TypeError if there is none."""
        signature = inspect.signature(function)
        parameters = [each.replace(annotation=_as_written(each.annotation)) for each in signature.parameters.values()]
        returned = _as_written(signature.return_annotation)
        return str(signature.replace(parameters=parameters, return_annotation=returned))

    class _Text(str):
        """The text of a hint, which is printed without quotes."""

        __slots__ = ()

        def __repr__(self) -> str:
            return str(self)

    def _as_written(hint: Any) -> Any:
        return _Text(hint) if isinstance(hint, str) else hint

    def hints_of(annotated: Any) -> Mapping[str, Any]:
        """Return the hints of a function or class by name, not yet evaluated if they are text."""
        hints: Mapping[str, Any] = annotated.__annotations__
        return hints
