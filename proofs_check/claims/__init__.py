"""The printed claims, one module a paper; ``proofs_check.registry`` finds them here."""
