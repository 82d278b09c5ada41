"""Everything about the sign-and-Gaussians model of "Robustness May Be at Odds with Accuracy" (ODDS, sections 2 and E).

``signgaussian`` is the law with its exact risks, ``frontier`` and ``theorem21`` the trade-off between standard and
robust accuracy over all classifiers, ``svm`` and ``theorem22`` the population soft-margin machine, ``transfer`` what an
attack on one classifier does to another, ``robust_logistic`` the linear experiment on images with certified optima.
"""
