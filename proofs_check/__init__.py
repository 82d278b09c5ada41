"""Every printed claim of the papers, with a verdict, and a search for counterexamples to a reader's own conjectures.

A claim is a function from a budget to evidence, most often the sign of a margin (the right minus the left side, exact
or enclosed) over many cases; one registry of them serves the tests, ``python -m proofs_check`` and the search. Training
code is imported only inside the claims that speak of it, so everything else works without torch.

    from proofs_check import claim, check, refute, registry

    verdict = check("trades-eq1")
    found = refute(lambda p: 1 - 2 * robust_risk(p.classifier, p.law, p.ball), cases="finite")
"""

from proofs_check import _place as _place  # isort: split

from proofs_check.core import Claim as Claim
from proofs_check.core import Evidence as Evidence
from proofs_check.core import Verdict as Verdict
from proofs_check.core import claim as claim
from proofs_check.core import definition as definition
from proofs_check.discovery import check as check
from proofs_check.discovery import registry as registry
from proofs_check.search import Counterexample as Counterexample
from proofs_check.search import Support as Support
from proofs_check.search import assert_holds as assert_holds
from proofs_check.search import refute as refute
