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

from proofs_check.report.formulas import CLOSE, GREEK, OPEN, SIGNS, TOKEN, formulas


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
    for start, stop in formulas(text):
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
    return escape(re.sub(r"<=|>=|!=|->", lambda sign: SIGNS[sign[0]], text), quote=False)


def formula(text: str) -> str:
    """One formula as MathML; raises ``ValueError`` if it is none.

    >>> formula("R*_std = x'")
    '<math><msubsup><mi>R</mi><mi>std</mi><mo>*</mo></msubsup><mo>=</mo><mi>x</mi><mo>′</mo></math>'
    """
    return _cut(_elements(_pieces(text)))


Piece = tuple[str, str]


def _pieces(text: str) -> list[Piece]:
    pieces = [(m.lastgroup or "", m.group()) for m in TOKEN.finditer(text)]
    depth = 0
    for kind, word in pieces:
        depth += (word in OPEN) - (word in CLOSE) if kind == "bracket" else 0
        if kind == "other" or depth < 0:
            raise NotAFormulaError(f"{text!r} is not a formula that can be set")
    if depth:
        raise NotAFormulaError(f"{text!r} has a bracket that stays open")
    return pieces


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
        elif kind == "name" and word not in SIGNS:
            shown = "√" if word == "sqrt" else GREEK.get(word, word)
            made.append(f"<i>{shown}</i>" if re.fullmatch(r"[A-Za-z]", word) else shown)
        elif kind == "sign":
            made.append(escape(SIGNS.get(word, word.replace("-", "−"))))
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
            apart = here and there and not (pieces[k][0] == "bracket" and pieces[k][1] in CLOSE)
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
            if not glue and _is_operand(*before) and before[1] not in OPEN and word in ("+", "-", "="):
                glue = "<wbr>"
            apart = (
                before[0] == "space" and k < len(pieces) and pieces[k][0] == "space"
            )  # the bar of P(Y | x), not of |x|
            made.append(_Element(_element(kind, word, apart=apart), len(GREEK.get(word, word)), glue))
        glue = ""
    return made


_BINARY = ("=", "<", ">", "<=", ">=", "!=", "->", "+", "-", "/")


def _is_operand(kind: str, word: str) -> bool:
    return kind in ("name", "number", "bracket", "prime", "index") and word not in SIGNS


def _element(kind: str, word: str, *, apart: bool = False) -> str:
    if kind == "number":
        return f"<mn>{word}</mn>"
    if kind == "prime":
        return "<mo>′</mo>"
    if kind == "name" and word not in SIGNS:
        if re.fullmatch(r"[A-Za-z]\d+", word):
            return f"<msub><mi>{word[0]}</mi><mn>{word[1:]}</mn></msub>"
        return f"<mi>{GREEK.get(word, word)}</mi>"
    stiff = " stretchy=false" if kind == "bracket" or word in "||" else ""
    stiff += " lspace=0 rspace=0" if word == "/" or (word in "||" and not apart) else ""
    return f"<mo{stiff}>{escape(SIGNS.get(word, word))}</mo>"


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
            depth += 1 if pieces[j][1] in OPEN else -1
            if not depth:
                return j
    raise NotAFormulaError("a bracket stays open")


def _is_star(pieces: list[Piece], k: int) -> bool:
    """Whether the star before k is an index, as in R* or psi*(v), and multiplies nothing."""
    if k < 2 or pieces[k - 2][0] not in ("name", "bracket", "prime"):
        return False
    kind = pieces[k][0] if k < len(pieces) else ""
    return kind not in ("name", "number") and not (kind == "bracket" and pieces[k - 2][0] == "bracket")
