"""Every printed claim of the papers, with a verdict.

A claim is a function from a case to a margin, the right minus the left side, exact or enclosed; one registry of them
serves the tests, ``python -m proofs_check``, the report and the search for counterexamples. Training code is imported
only inside the claims that speak of it, so everything else works without torch.
"""

try:
    from theory import _origin
except ImportError as error:
    raise ImportError(f"proofs_check needs tightrope's own package theory beside it: {error}", name="theory") from error

_origin.check(__file__, __name__)
