"""Trained networks: image data, models, attacks, certificates, objectives, one training loop, and the experiments.

This is the floor that uses torch (``pip install 'tightrope[deep]'``), inside its modules: importing the package alone
loads nothing. Training writes records; what is said about trained networks is read from them.
"""

try:
    from theory import _origin
except ImportError as error:
    raise ImportError(f"deep needs tightrope's own package theory beside it: {error}", name="theory") from error

_origin.check(__file__, __name__)
