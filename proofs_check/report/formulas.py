"""Where in a text of English a formula stands, in the notation of the claims (see `proofs_check.report.mathml`)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "eps": "ε", "epsilon": "ε", "zeta": "ζ", "eta": "η",
    "theta": "θ", "kappa": "κ", "lambda": "λ", "lam": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ",
    "sigma": "σ", "tau": "τ", "phi": "φ", "psi": "ψ", "omega": "ω", "Phi": "Φ", "Psi": "Ψ", "Delta": "Δ", "Sigma": "Σ",
    "Omega": "Ω", "Gamma": "Γ", "Lambda": "Λ", "infinity": "∞", "infty": "∞",
}  # fmt: skip
FUNCTIONS = (
    "sign",
    "log",
    "exp",
    "min",
    "max",
    "inf",
    "sup",
    "sqrt",
    "argmin",
    "argmax",
    "erf",
    "conv",
    "floor",
    "log2",
    "tanh",
    "Pr",
)
SIGNS = {"<=": "≤", ">=": "≥", "!=": "≠", "->": "→", "-": "−", "*": "·", "~": "∼", "||": "‖", ".": "·", "in": "∈"}
SPELLED = {**GREEK, **{word: SIGNS[word] for word in ("<=", ">=", "!=", "->")}}
"""What is shown for what is written."""
OPEN, CLOSE = "([{", ")]}"

_WORD = r"[A-Za-z]+"
TOKEN = re.compile(
    r"(?P<space>\s+)"
    r"|(?P<number>(?:\d+(?:\.\d+)?|\.\d+)%?)"
    rf"|(?P<name>{_WORD}(?:\d+(?![\w]|\.\d))?)"
    r"|(?P<index>[_^][+\-*]{1,2}(?![\w(])|\*\*(?![\w(]))"
    r"|(?P<sign><=|>=|!=|->|\|\||[=<>+\-*/^_~|,:;.])"
    r"|(?P<bracket>[()\[\]{}])"
    r"|(?P<prime>')"
    r"|(?P<other>.)"
)
_RELATIONS = re.compile(r"<=|>=|!=|->|[=<>+*/^_~]")


def formulas(text: str) -> Iterator[tuple[int, int]]:
    """The places of the formulas, from where to where: runs of what only formulas have.

    >>> [text[start:stop] for text in ["If eps >= 0, R_rob(f) is a risk."] for start, stop in formulas(text)]
    ['eps >= 0', 'R_rob(f)']
    """
    tokens = [(m.lastgroup or "", m.group(), m.start(), m.end()) for m in TOKEN.finditer(text)]
    k = 0
    while k < len(tokens):
        run = _run(tokens, k)
        if run is None:
            k += 1
            continue
        yield tokens[k][2], tokens[run - 1][3]
        k = run


Token = tuple[str, str, int, int]


def _run(tokens: list[Token], first: int) -> int | None:
    """Where the formula ends that begins at token ``first``; None if none does."""
    if not _may_start(tokens, first):
        return None
    k = best = first
    while k < len(tokens):
        kind, word, *_ = tokens[k]
        if kind == "space":
            k += 1
            continue
        if kind == "bracket":
            if word in OPEN:
                closing = _matching(tokens, k)
                before = tokens[k - 1][0] if k > first else ""
                attached = before in ("name", "prime", "bracket", "index") or (before, word) == ("number", "{")
                attached = attached or (k > first and tokens[k - 1][1] in ("_", "^", "*"))
                if closing is None or not (attached or _all_formula(tokens, k + 1, closing)):
                    break
                k = best = closing + 1
                continue
            break
        if kind == "name" and not _is_symbol(tokens, k):
            break
        if kind == "other" or word in (",", ":", ";", "."):
            break
        k += 1
        if (
            kind in ("name", "number", "prime", "index")
            or word == "||"
            or (word == "|" and sum(token[1] == "|" for token in tokens[first:k]) % 2 == 0)
            or (word == "*" and not _operand_follows(tokens, k))
        ):
            best = k
    piece = "".join(token[1] for token in tokens[first:best])
    return best if best > first and _is_formula(piece) else None


def _may_start(tokens: list[Token], k: int) -> bool:
    kind, word, *_ = tokens[k]
    if k and tokens[k - 1][0] in ("name", "number", "other", "prime") and kind in ("name", "number", "bracket"):
        return False
    if k > 1 and tokens[k - 2][1] in _PLACES:
        return False
    if kind == "name":
        return _is_symbol(tokens, k)
    if kind == "sign":  # a sign at the start belongs to a number or a symbol: -1, |x|
        after = tokens[k + 1][0] if k + 1 < len(tokens) else ""
        return (
            word in ("-", "+", "|", "||")
            and after in ("name", "number")
            and (k == 0 or tokens[k - 1][0] in ("space", "bracket"))
        )
    return kind == "number" or (kind == "bracket" and word in OPEN)


def _is_symbol(tokens: list[Token], k: int) -> bool:
    """Whether a word is a symbol here, and not English."""
    word = tokens[k][1]
    before = tokens[k - 1][1] if k else " "
    after = tokens[k + 1][1] if k + 1 < len(tokens) else " "
    if before in ("_", "^"):
        return True
    if after == "-" and k + 2 < len(tokens) and tokens[k + 2][0] == "name" and not _known(tokens[k + 2][1]):
        return False  # f-divergence, k-th
    if before == "-" and k > 1 and tokens[k - 2][0] == "name" and not _known(tokens[k - 2][1]):
        return False
    if after in ("_", "^"):
        return True
    if word == "in":
        if k < 2 or k + 2 >= len(tokens) or not _ends_formula(tokens, k - 2):
            return False
        return tokens[k + 2][1] in ("(", "[", "{") or (_in_braces(tokens, k) and _known(tokens[k + 2][1]))
    if after == "." and k + 2 < len(tokens) and (word + tokens[k + 2][1] in _LATIN or tokens[k + 2][0] == "number"):
        return False  # i.i.d., B.1
    if after[:1] == "." and after[1:].isdigit():
        return False
    if before == "." and k > 1 and tokens[k - 2][1] + word in _LATIN:
        return False
    if word in ("a", "A", "I"):
        return after in ("_", "^", "(", "'") or _beside_relation(tokens, k)
    if word in FUNCTIONS:
        return after in ("(", "[", "_", "{") or _beside_relation(tokens, k)
    return _known(word) or (
        after == "(" and len(word) <= 3 and word not in ("eq", "Eq", "see", "by", "of", "for", "at")
    )


_PLACES = (
    "Appendix",
    "Appendices",
    "Section",
    "Sections",
    "Algorithm",
    "Lemma",
    "Theorem",
    "Table",
    "Figure",
    "Remark",
)
_LATIN = ("ii", "id", "ie", "eg", "as", "ae")
"""i.i.d., i.e., e.g., a.s., a.e. without their dots."""


def _in_braces(tokens: list[Token], k: int) -> bool:
    for j in range(k - 1, -1, -1):
        if tokens[j][0] == "bracket":
            return tokens[j][1] == "{"
    return False


def _known(word: str) -> bool:
    return word in GREEK or re.fullmatch(r"[A-Za-z]\d*", word) is not None


def _ends_formula(tokens: list[Token], k: int) -> bool:
    return tokens[k][0] in ("number", "prime") or (tokens[k][0] == "name" and _known(tokens[k][1]))


def _beside_relation(tokens: list[Token], k: int) -> bool:
    near = [tokens[j][1] for j in (k - 2, k - 1, k + 1, k + 2) if 0 <= j < len(tokens)]
    return any(_RELATIONS.fullmatch(word) for word in near)


def _operand_follows(tokens: list[Token], k: int) -> bool:
    """After a star: whether something is multiplied, so that it is no index."""
    return k < len(tokens) and tokens[k][0] in ("name", "number")


def _matching(tokens: list[Token], k: int) -> int | None:
    depth = 0
    for j in range(k, len(tokens)):
        if tokens[j][0] == "bracket":
            depth += 1 if tokens[j][1] in OPEN else -1
            if depth == 0:
                return j
    return None


def _all_formula(tokens: list[Token], start: int, stop: int) -> bool:
    """Whether brackets that stand alone hold a formula, and not words."""
    inside = tokens[start:stop]
    names = [k for k in range(start, stop) if tokens[k][0] == "name"]
    return all(token[0] != "other" for token in inside) and all(_is_symbol(tokens, k) for k in names)


def _is_formula(piece: str) -> bool:
    """Numbers and brackets alone are none: (3), 2.1, 0-1."""
    return re.search(r"[A-Za-z]|<=|>=|!=|[=<>+*/^]", piece) is not None
