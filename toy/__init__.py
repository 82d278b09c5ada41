"""One runnable module per synthetic example of the papers.

Each example has a ``distribution``, its named ``classifiers`` and a ``main(argv)`` that prints their risks, so
``python -m toy.cheese --eps 0.1`` and ``from toy import cheese`` give the same exact numbers; ``toy.law`` does it for a
law of your own, and ``python -m toy`` lists them all. Nothing here imports torch.
"""

try:
    from theory import _origin
except ImportError as error:
    raise ImportError(f"toy needs tightrope's own package theory beside it: {error}", name="theory") from error

_origin.check(__file__, __name__)
