"""Every printed claim of the papers, with a verdict, and a search for counterexamples to a reader's own conjectures.

A claim is a function from a budget to evidence, most often the sign of a margin (the right minus the left side, exact
or enclosed) over many cases; one registry of them serves the tests, ``python -m proofs_check`` and the search. Training
code is imported only inside the claims that speak of it, so everything else works without torch.

    from proofs_check import claim, check, refute, registry

    verdict = check("trades-eq1")
    found = refute(lambda p: 1 - 2 * robust_risk(p.classifier, p.law, p.ball), cases="finite")
"""

try:
    from theory import _origin
except ImportError as error:
    raise ImportError(f"proofs_check needs tightrope's own package theory beside it: {error}", name="theory") from error

_origin.check(__file__, __name__)

from proofs_check.core import Claim as Claim  # noqa: E402 - the check of where the packages lie comes first
from proofs_check.core import Evidence as Evidence  # noqa: E402
from proofs_check.core import Verdict as Verdict  # noqa: E402
from proofs_check.core import claim as claim  # noqa: E402
from proofs_check.discovery import check as check  # noqa: E402
from proofs_check.discovery import registry as registry  # noqa: E402
from proofs_check.search import Counterexample as Counterexample  # noqa: E402
from proofs_check.search import Support as Support  # noqa: E402
from proofs_check.search import assert_holds as assert_holds  # noqa: E402
from proofs_check.search import refute as refute  # noqa: E402
