"""Networks trained on samples of a law that is known exactly, and what they truly do.

Trained as any network is, on points drawn from a law of `toy` or of a file; then nothing is estimated any more: the
risks of the network under the law, the least risk of any classifier, and both sides of TRADES' Theorem 3.1 around it
are exact or enclosed. ``python -m deep.bridge`` does it all; `deep.bridge.networks`, `.training`, `.margins`,
`.prices` and `.bound` are its steps, and need torch in the first two alone.
"""
