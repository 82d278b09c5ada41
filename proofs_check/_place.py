"""Imported before the rest of the package: its files must lie beside the ``theory`` that they were written for."""

try:
    from theory import _origin
except ImportError as error:
    raise ImportError(f"proofs_check needs tightrope's own package theory beside it: {error}", name="theory") from error

_origin.check(__file__, "proofs_check")
