"""What TRADES proves beyond its main bound, each with both sides computed (the bound itself is ``theory.bounds``).

``sharper`` is a bound below Theorem 3.1's, ``empirical`` the gap of that theorem on a sample, ``witness`` the
construction of Theorem 3.2, ``objectives`` the problems (3) to (5) as functionals of a law, ``boundary_rate`` Theorem
C.1 on the laws of ``exponential_power``, ``margin`` Theorem C.5, and ``separators`` Algorithm 2.
"""
