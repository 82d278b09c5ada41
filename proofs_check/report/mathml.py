"""Formulas in prose, as MathML: what is written "R_rob(f) <= eps" in a statement reads as a formula on a page.

The notation is that of the claims: names with subscripts and superscripts (``f_B``, ``S_{x,eps}``, ``x^2``, ``R*``,
``x'``), Greek letters by name, ``<=``, ``>=``, ``!=``, ``->``, ``sqrt``. A formula stays in one line as it is written,
so nothing can be misread: only letters, signs and indices are set. What is not understood is left in ``<code>``.

>>> html("If eps >= 0, it holds.")
'If <math><mi>ε</mi><mo>≥</mo><mn>0</mn></math>\u2060, it holds.'
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
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
_SIGNS = {"<=": "≤", ">=": "≥", "!=": "≠", "->": "→", "-": "−", "*": "·", "~": "∼", "||": "‖", ".": "·", "in": "∈"}
SPELLED = {**GREEK, **{word: _SIGNS[word] for word in ("<=", ">=", "!=", "->")}}
"""What is shown for what is written."""
_OPEN, _CLOSE = "([{", ")]}"

_WORD = r"[A-Za-z]+"
_TOKEN = re.compile(
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


class NotAFormulaError(ValueError):
    """A text that was taken for a formula and cannot be set."""


_CODE = re.compile(r"\b(?:theory|toy|deep|proofs_check)(?:\.\w+)+|\b[A-Za-z]{4,}(?:_[A-Za-z]{3,})+\b")
_JOINED = "\u2060"
"""Keeps a line from ending between a formula and the comma that follows it."""
_NORM = re.compile(r"\bl-inf(?:inity)?\b")


def html(text: str, *, light: bool = False) -> str:
    """The text as HTML, with each formula in it as MathML, and names of Python as code.

    With ``light`` formulas are letters in italics, signs and indices of HTML, a third as long.

    >>> html("f_B is x", light=True)
    '<i>f</i><sub><i>B</i></sub> is <i>x</i>'
    """
    parts, end = [], 0
    for found in re.finditer(f"{_CODE.pattern}|{_NORM.pattern}", text):
        parts.append(_mixed(text[end : found.start()], light))
        if _NORM.fullmatch(found.group()):
            parts.append("ℓ<sub>∞</sub>" if light else "<math><msub><mi>ℓ</mi><mo>∞</mo></msub></math>")
        elif found.group().split("_")[0] in GREEK:
            parts.append(_mixed(found.group(), light))
        else:
            parts.append(f"<code>{found.group()}</code>")
        end = found.end()
    return "".join([*parts, _mixed(text[end:], light)])


def _mixed(text: str, light: bool) -> str:
    parts, end = [], 0
    for start, stop in _formulas(text):
        parts.append(_prose(text[end:start]))
        try:
            parts.append(_light(_pieces(text[start:stop])) if light else formula(text[start:stop]))
        except NotAFormulaError:
            parts.append(f"<code>{escape(text[start:stop], quote=False)}</code>")
        if not light and text[stop : stop + 1] in (",", ".", ";", ":", ")", "]"):
            parts.append(_JOINED)
        end = stop
    return "".join([*parts, _prose(text[end:])])


def _prose(text: str) -> str:
    """Words, among which a sign of comparison may stand."""
    return escape(re.sub(r"<=|>=|!=|->", lambda sign: _SIGNS[sign[0]], text), quote=False)


def formula(text: str) -> str:
    """One formula as MathML; raises ``ValueError`` if it is none.

    >>> formula("R*_std = x'")
    '<math><msubsup><mi>R</mi><mi>std</mi><mo>*</mo></msubsup><mo>=</mo><mi>x</mi><mo>′</mo></math>'
    """
    return _cut(_elements(_pieces(text)))


Piece = tuple[str, str]


def _pieces(text: str) -> list[Piece]:
    pieces = [(m.lastgroup or "", m.group()) for m in _TOKEN.finditer(text)]
    depth = 0
    for kind, word in pieces:
        depth += (word in _OPEN) - (word in _CLOSE) if kind == "bracket" else 0
        if kind == "other" or depth < 0:
            raise NotAFormulaError(f"{text!r} is not a formula that can be set")
    if depth:
        raise NotAFormulaError(f"{text!r} has a bracket that stays open")
    return pieces


# ---- where formulas are ---------------------------------------------------------------------------------------------


def _formulas(text: str) -> Iterator[tuple[int, int]]:
    """The places of the formulas: runs of what only formulas have."""
    tokens = [(m.lastgroup or "", m.group(), m.start(), m.end()) for m in _TOKEN.finditer(text)]
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
            if word in _OPEN:
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
    return kind == "number" or (kind == "bracket" and word in _OPEN)


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
            depth += 1 if tokens[j][1] in _OPEN else -1
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


# ---- what they become -----------------------------------------------------------------------------------------------


def _light(pieces: list[Piece]) -> str:
    """The formula as HTML, with the spaces that it was written with."""
    made: list[str] = []
    k = 0
    while k < len(pieces):
        kind, word = pieces[k]
        k += 1
        if kind == "index" or word in ("_", "^") or (word == "*" and _is_star(pieces, k)):
            inside, k = ([("sign", word.strip("_^"))], k) if kind == "index" or word == "*" else _index(pieces, k)
            if not made:
                raise NotAFormulaError(f"the index {word} has nothing to stand at")
            name = "sub" if word[0] == "_" else "sup"
            text = "*" * len(inside[0][1]) if set(inside[0][1]) == {"*"} else _light(inside)
            made.append(f"<{name}>{text}</{name}>")
        elif kind == "name" and word not in _SIGNS:
            shown = "√" if word == "sqrt" else GREEK.get(word, word)
            made.append(f"<i>{shown}</i>" if re.fullmatch(r"[A-Za-z]", word) else shown)
        elif kind == "sign":
            made.append(escape(_SIGNS.get(word, word.replace("-", "−"))))
        else:
            made.append({"space": " ", "prime": "′"}.get(kind, word))
    return "".join(made)


@dataclass(slots=True)
class _Element:
    """One element with its indices; ``glue`` is what stands before it if a line may break there, ``size`` its width."""

    base: str
    size: int
    glue: str = ""
    below: str = ""
    above: str = ""

    def __str__(self) -> str:
        if self.below and self.above:
            return f"<msubsup>{self.base}{self.below}{self.above}</msubsup>"
        if self.below or self.above:
            name = "msub" if self.below else "msup"
            return f"<{name}>{self.base}{self.below or self.above}</{name}>"
        return self.base


_LENGTH = 16
"""A formula of more letters than these may go on in the next line."""


def _cut(elements: list[_Element]) -> str:
    """The formula in parts between which a line may break, so that it fits a narrow page."""
    parts, size = [[elements[0]]], elements[0].size
    glue = [""]
    for element in elements[1:]:
        if element.glue and size >= _LENGTH:
            parts.append([])
            glue.append(element.glue)
            size = 0
            element.base = element.base.replace("<mo>", "<mo form=infix>")  # or it would be the sign of a number
        elif element.glue == " ":
            parts[-1].append(_Element("<mspace width='0.2em'/>", 0))  # "p delta"; around signs MathML sets its own
        parts[-1].append(element)
        size += element.size
    return "".join(f"{before}<math>{''.join(map(str, part))}</math>" for before, part in zip(glue, parts, strict=True))


def _row(pieces: list[Piece]) -> str:
    spaced = ("<mspace width='0.2em'/>" * (element.glue == " ") + str(element) for element in _elements(pieces))
    return "".join(spaced)


def _elements(pieces: list[Piece]) -> list[_Element]:
    """The elements of a formula, one after the other as they are written."""
    made: list[_Element] = []
    k, glue = 0, ""
    while k < len(pieces):
        kind, word = pieces[k]
        before = pieces[k - 1] if k else ("", "")
        k += 1
        if kind == "space":
            here, there = _is_operand(*before), k < len(pieces) and _is_operand(*pieces[k])
            apart = here and there and not (pieces[k][0] == "bracket" and pieces[k][1] in _CLOSE)
            glue = (
                " " if apart else "<wbr>" if before[1] == "," or (k < len(pieces) and pieces[k][1] in _BINARY) else ""
            )
            continue
        if kind == "index" or word in ("_", "^") or (word == "*" and _is_star(pieces, k)):
            stop = k
            if kind == "index" or word == "*":
                inside = f"<mo>{word.strip('_^').replace('-', '−')}</mo>"
            else:
                found, stop = _index(pieces, k)
                inside = _row(found).replace("·", "*")
                inside = inside if len(found) == 1 else f"<mrow>{inside}</mrow>"
            place = "below" if word[0] == "_" else "above"
            if not made or getattr(made[-1], place):
                raise NotAFormulaError(f"the index {word} has nothing to stand at")
            setattr(made[-1], place, inside)
            made[-1].size += sum(len(word) for _, word in pieces[k:stop])
            k = stop
        elif word == "sqrt" and k < len(pieces) and pieces[k][1] == "(":
            stop = _closing(pieces, k)
            size = sum(len(word) for _, word in pieces[k:stop])
            if size > _LENGTH:  # a line cannot break under a root
                made.append(_Element("<mo stretchy=false>√</mo>", 1, glue))
            else:
                made.append(_Element(f"<msqrt>{_row(pieces[k + 1 : stop])}</msqrt>", size, glue))
                k = stop + 1
        else:
            if not glue and _is_operand(*before) and before[1] not in _OPEN and word in ("+", "-", "="):
                glue = "<wbr>"
            apart = (
                before[0] == "space" and k < len(pieces) and pieces[k][0] == "space"
            )  # the bar of P(Y | x), not of |x|
            made.append(_Element(_element(kind, word, apart=apart), len(GREEK.get(word, word)), glue))
        glue = ""
    return made


_BINARY = ("=", "<", ">", "<=", ">=", "!=", "->", "+", "-", "/")


def _is_operand(kind: str, word: str) -> bool:
    return kind in ("name", "number", "bracket", "prime", "index") and word not in _SIGNS


def _element(kind: str, word: str, *, apart: bool = False) -> str:
    if kind == "number":
        return f"<mn>{word}</mn>"
    if kind == "prime":
        return "<mo>′</mo>"
    if kind == "name" and word not in _SIGNS:
        if re.fullmatch(r"[A-Za-z]\d+", word):
            return f"<msub><mi>{word[0]}</mi><mn>{word[1:]}</mn></msub>"
        return f"<mi>{GREEK.get(word, word)}</mi>"
    stiff = " stretchy=false" if kind == "bracket" or word in "||" else ""
    stiff += " lspace=0 rspace=0" if word == "/" or (word in "||" and not apart) else ""
    return f"<mo{stiff}>{escape(_SIGNS.get(word, word))}</mo>"


def _index(pieces: list[Piece], k: int) -> tuple[list[Piece], int]:
    """What stands in the subscript or superscript that begins at k, and where it ends."""
    if k >= len(pieces):
        raise NotAFormulaError("an index is missing")
    kind, word = pieces[k]
    if word in ("{", "("):
        stop = _closing(pieces, k)
        return pieces[k + 1 : stop], stop + 1
    if word in "+-" and k + 1 < len(pieces) and pieces[k + 1][0] == "number":
        return pieces[k : k + 2], k + 2
    if kind in ("name", "number") or word in "+-*":
        return pieces[k : k + 1], k + 1
    raise NotAFormulaError(f"{word} is no index")


def _closing(pieces: list[Piece], k: int) -> int:
    depth = 0
    for j in range(k, len(pieces)):
        if pieces[j][0] == "bracket":
            depth += 1 if pieces[j][1] in _OPEN else -1
            if not depth:
                return j
    raise NotAFormulaError("a bracket stays open")


def _is_star(pieces: list[Piece], k: int) -> bool:
    """Whether the star before k is an index, as in R* or psi*(v), and multiplies nothing."""
    if k < 2 or pieces[k - 2][0] not in ("name", "bracket", "prime"):
        return False
    kind = pieces[k][0] if k < len(pieces) else ""
    return kind not in ("name", "number") and not (kind == "bracket" and pieces[k - 2][0] == "bracket")
