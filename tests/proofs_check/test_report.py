"""The report counts right, says what it must, and its page works for people: in a browser, on a phone, by keyboard.

The browser is Debian's chromium (`apt-get install chromium chromium-driver`); `.ci/run` sees to it.
"""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import sys
import types
from collections import Counter
from fractions import Fraction
from html import unescape
from importlib import util
from pathlib import Path

import pytest

from proofs_check import Evidence, check, claim, definition, registry
from proofs_check.__main__ import main
from proofs_check.core import PAPERS
from proofs_check.provers import given_case
from proofs_check.report import command, figures, mathml, tables
from proofs_check.report.entries import Entry, in_order, pinned, printed_label, share, summary
from proofs_check.report.formulas import GREEK
from proofs_check.report.page import bibtex, page
from proofs_check.results import row, witness
from proofs_check.search import counterexample
from theory.record import Record

CLAIMS = registry()
ROOT = Path(__file__).parents[2]
SHOWN = ("trades-theorem-3.1-second", "trades-theorem-3.1-second-repaired", "trades-eq1", "odds-theorem-2.1")


def planted(key="odds-x", verdict="PROVED", label="Theorem 9", **options):
    """An entry that is not of the papers."""
    defaults = {"paper": "ODDS", "place": "Section 9", "kind": "theorem", "statement": "x <= 1.", "covers": "all x"}
    repair = {"amendment": "odds-other"} if verdict == "AMENDED" else {}
    return pinned([claim(key, label=label, expected=verdict, **(defaults | repair | options))(lambda budget: None)])[0]


# ---- what is counted ----


def test_labels_are_counted_once_and_proved_only_if_all_that_holds_is():
    entries = [
        planted("odds-a", label="Theorem 1, first part"),
        planted("odds-b", "SUPPORTED", label="Theorem 1, second part"),  # so Theorem 1 is not proved
        planted("odds-c", label="Lemma 2"),
        planted("odds-d", "AMENDED", label="Lemma 2, more"),  # does not hold: does not count
        planted("odds-e", "REFUTED", label="Lemma 3"),
        planted("odds-f", label="Lemma 3, repaired", kind="repair", repairs="odds-e"),  # ours
        planted("odds-g", label="Algorithm 1", kind="procedure"),
        planted("odds-h", label="Table 1", kind="arithmetic"),
        planted("odds-i", label="Section 2, one remark", kind="remark"),
        planted("odds-j", label="Section 2, another remark", kind="remark"),
    ]
    assert (share(entries).proved, share(entries).holding) == (3, 4)
    assert str(share(entries)) == "3 of 4 (75 %)"
    assert share(entries, "PGN").value == 0


@pytest.mark.parametrize(
    ("label", "printed"),
    [("eq (14), repaired", "eq (14)"), ("Lemma C.6", "Lemma C.6"), ("Section 2, a, b", "Section 2, a, b")],
)
def test_printed_labels(label, printed):
    assert printed_label(label) == printed


def test_the_summary_adds_up_and_keeps_groups_apart():
    half = definition("odds-e", paper="ODDS", label="1/2", place="p", statement="A half.", covers="1/2")
    mathematics = [planted("odds-a"), planted("odds-b"), planted("pgn-d", paper="PGN")]
    lines = summary([*mathematics, planted("odds-c", kind="procedure"), *pinned([half])])
    assert [(line["group"], line["verdict"], line["ODDS"], line["PGN"], line["all"]) for line in lines] == [
        ("mathematics", "PROVED", 2, 1, 3),
        ("procedures", "PROVED", 1, 0, 1),
        ("definitions", "definition", 1, 0, 1),
    ]
    assert sum(line["all"] for line in summary(pinned(CLAIMS.values()))) == len(CLAIMS)


def test_the_committed_verdicts_are_those_of_the_source():
    fresh = tables.markdown(pinned(CLAIMS.values()), command.PINNED)
    stale = "run `python -m proofs_check report --pinned --markdown proofs_check/VERDICTS.md`"
    assert (ROOT / "proofs_check" / "VERDICTS.md").read_text(encoding="utf-8") == fresh, stale


# ---- what is written ----


@pytest.fixture(scope="module")
def entries():
    """All claims, a few of them with what was really found."""
    rows = {entry.claim.key: entry.row for entry in pinned(CLAIMS.values())}
    rows |= {key: row(CLAIMS[key], check(key, 12)) for key in SHOWN}
    return in_order(list(CLAIMS.values()), rows)


@pytest.fixture(scope="module")
def html(entries):
    return page(entries, "Verdicts of a `test`.", "0123abc")


def test_the_page_says_all_of_a_claim(html, entries):
    assert len(html.encode()) < 800_000  # with the witnesses of a full run still below a megabyte
    assert {entry.claim.key for entry in entries} == set(re.findall(r'class="claim" id="([^"]+)"', html))
    text = re.search(r'<details class="claim" id="trades-theorem-3.1-second".*?</details>', html, re.DOTALL)[0]
    for words in (
        'href="#trades-theorem-3.1-second-repaired"',
        "print(second_margin(case))",
        "<td>-1/2",
        "point 0 at",
        "python -m proofs_check show trades-theorem-3.1-second",
        r"\cite[Theorem 3.1",
    ):
        assert words in text
    back = re.search(r'<details class="claim" id="trades-theorem-3.1-second-repaired".*?</details>', html, re.DOTALL)[0]
    assert 'href="#trades-theorem-3.1-second"' in back
    assert "0123abc" in html
    assert len(re.findall(r"\bid=\"([^\"]+)\"", html)) == len(set(re.findall(r"\bid=\"([^\"]+)\"", html)))
    for key in re.findall(r'href="#([^"]+)"', html):
        assert f'id="{key}"' in html


def test_the_page_asks_for_nothing_from_a_network(html):
    assert not re.search(r"""\b(?:src|srcset|action|poster)\s*=|href="(?!#)|url\((?!#)|@import|<link""", html)
    assert "http" not in html.replace("http-equiv", "")
    assert "default-src 'none'" in html


def test_what_breaks_without_a_premise_is_shown():
    @claim(
        "odds-x", paper="ODDS", label="a <b>", place="p", kind="remark", statement="x <= 1.", expected="PROVED",
        covers="c", premises=("x < 1",), without={"x < 1": lambda budget: given_case(lambda x: 1 - x, Fraction(2))},
    )  # fmt: skip
    def item(budget):
        return Evidence("PROVED", "by hand", 1)

    text = page([Entry(item, row(item, check(item)))], "", None)
    assert "Without it" in text
    assert "REFUTED" in text
    assert "case = Fraction(2, 1)" in text
    assert "a &lt;b&gt;" in text
    assert "<b>" not in text


def test_a_figure_keeps_its_words_and_numbers():
    def draw(axes):
        axes.plot([0, 1], [0, 1])
        axes.set_yticks([0.25, 0.125], ["0.25", "a:  b; 0.125"])
        axes.set_xticks([])

    options = {"place": "p", "kind": "table", "statement": "x < 1.", "expected": "PROVED", "covers": "c"}
    item = claim("odds-x", paper="ODDS", label="Figure 9", **options, figure=draw)(lambda budget: None)
    drawn = figures.svg(item)
    assert re.findall(r"<text[^>]*>([^<]*)</text>", drawn) == ["0.25", "a:  b; 0.125"]
    assert '<title id="odds-x-title">Figure 9 of ODDS: x &lt; 1.</title>' in drawn
    assert set(re.findall(r'href="#([^"]*)"', drawn)) <= set(re.findall(r'id="([^"]*)"', drawn))
    assert "http" not in drawn
    assert len(drawn) < 5000


def test_a_field_of_a_case_may_be_called_margin():
    @dataclasses.dataclass
    class Case:
        margin: Fraction

    found = witness(counterexample(lambda case: -case.margin, Case(Fraction(2))))
    assert (found["table"], found["margin"]) == ([["margin", "", "2"]], "-2")


@pytest.mark.parametrize("paper", PAPERS)
def test_every_paper_has_a_bibtex_entry_with_its_title(paper):
    title = re.sub(r"[^a-z]+", " ", bibtex(paper).lower())
    assert re.sub(r"[^a-z]+", " ", PAPERS[paper].lower()) in title
    assert bibtex(paper).count("{") == bibtex(paper).count("}")


def test_markdown_latex_and_json_tell_the_same(entries, capsys):
    assert main(["report", "--pinned", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {line["key"] for line in found["rows"]} == set(CLAIMS)
    assert found["proved_labels"] == share(pinned(CLAIMS.values())).proved
    assert main(["report", "--pinned", "--markdown"]) == 0
    markdown = capsys.readouterr().out
    assert main(["report", "--pinned", "--latex"]) == 0
    latex = capsys.readouterr().out
    assert latex.count(r"\\") == len(CLAIMS) + 1
    for line in found["rows"]:
        assert f"| {line['key']} | {line['verdict'] or 'definition'}" in markdown
        assert line["key"] in latex


# ---- formulas ----

BAR, GIVEN = "<mo stretchy=false lspace=0 rspace=0>|</mo>", "<mo stretchy=false>|</mo>"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("R*_std", "<math><msubsup><mi>R</mi><mi>std</mi><mo>*</mo></msubsup></math>"),
        ("|x|", f"<math>{BAR}<mi>x</mi>{BAR}</math>"),
        ("P_(y | x)", f"<math><msub><mi>P</mi><mrow><mi>y</mi>{GIVEN}<mi>x</mi></mrow></msub></math>"),
        ("Loss <= risk", "Loss ≤ risk"),
        ("psi* = 0", "<math><msup><mi>ψ</mi><mo>*</mo></msup><mo>=</mo><mn>0</mn></math>"),
        ("2 * x", "<math><mn>2</mn><mo>·</mo><mi>x</mi></math>"),
        ("p_+-", "<math><msub><mi>p</mi><mo>+−</mo></msub></math>"),
        ("psi^-1", "<math><msup><mi>ψ</mi><mrow><mo>−</mo><mn>1</mn></mrow></msup></math>"),
        ("x^{a + 1}", "<math><msup><mi>x</mi><mrow><mi>a</mi><mo>+</mo><mn>1</mn></mrow></msup></math>"),
        ("sqrt(d)", "<math><msqrt><mi>d</mi></msqrt></math>"),
        ("eps != 0", "<math><mi>ε</mi><mo>≠</mo><mn>0</mn></math>"),
        ("the l-infinity norm", "the <math><msub><mi>ℓ</mi><mo>∞</mo></msub></math> norm"),
        ("see theory.risks.robust_risk", "see <code>theory.risks.robust_risk</code>"),
        ("a point, i.e. one of eq (3), the 0-1 loss and A", "a point, i.e. one of eq (3), the 0-1 loss and A"),
        ("the paper's k-th f-divergence in Appendix B", "the paper's k-th f-divergence in Appendix B"),
        ("some <tag> & so on", "some &lt;tag&gt; &amp; so on"),
    ],
)  # fmt: skip
def test_formulas_are_found_and_set(text, shown):
    assert mathml.html(text) == shown


def test_what_is_no_formula_is_refused():
    for text in ("x_", "(x", "x)", "_2", "x^", "x?"):
        with pytest.raises(mathml.NotAFormulaError):
            mathml.formula(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("R*_std <= sqrt(2 d)", "<i>R</i><sup>*</sup><sub>std</sub> ≤ √(2 <i>d</i>)"),
        ("psi** and p_+- - x^{a + 1}", "ψ<sup>**</sup> and <i>p</i><sub>+−</sub> − <i>x</i><sup><i>a</i> + 1</sup>"),
        ("the l-infinity norm", "the ℓ<sub>∞</sub> norm"),
        ("x < 1 & <tag>", "<i>x</i> &lt; 1 &amp; &lt;tag&gt;"),
    ],
)
def test_formulas_in_plain_html(text, shown):
    assert mathml.html(text, light=True) == shown


def letters(text):
    return Counter(re.findall(r"[A-Za-z0-9]", text))


@pytest.mark.parametrize("light", [False, True])
def test_no_letter_of_any_text_is_lost_or_added(light):
    """A second route: what is shown, with signs spelled out again, has the letters of what was written."""
    back = {sign: word for word, sign in GREEK.items()} | {"√": "sqrt", "∈": "in"}
    spelled = {"epsilon": "eps", "lambda": "lam", "infinity": "infty"}
    for item in CLAIMS.values():
        for text in (item.statement, item.reading, item.covers, item.searched, *item.premises, item.lift):
            shown = mathml.html(text, light=light).replace("<msqrt>", "sqrt")
            shown = shown.replace("<math><msub><mi>ℓ</mi><mo>∞", "l-infinity").replace("ℓ<sub>∞", "l-infinity")
            shown = unescape(re.sub(r"<[^>]*>", "", shown))
            for sign, word in back.items():
                shown = shown.replace(sign, word)
            source = re.sub(r"\bl-inf\b", "l-infinity", text)
            for variant, word in spelled.items():
                shown, source = re.sub(variant, word, shown), re.sub(variant, word, source)
            assert letters(shown) == letters(source), item.key


def test_formulas_are_balanced_elements():
    for item in CLAIMS.values():
        shown = mathml.html(item.statement + item.lift)
        for name in ("math", "mrow", "msub", "msup", "msubsup", "mi", "mo", "mn", "code"):
            assert len(re.findall(rf"<{name}[ >]", shown)) == shown.count(f"</{name}>"), item.key
        shown = mathml.html(item.lift, light=True)
        for name in ("i", "sub", "sup", "code"):
            assert shown.count(f"<{name}>") == shown.count(f"</{name}>"), item.key


# ---- records ----


@pytest.fixture
def bound(monkeypatch):
    """One claim on trained networks, with its rule, in the place of all claims."""

    @claim("odds-net", paper="ODDS", label="Table 9", place="p", kind="network", statement="Robust is at most 10.",
           expected="NOT RUN", covers="one run", reads="tightrope.nets/1")  # fmt: skip
    def net(record):
        if record.data.get("about") == "something else":
            return Evidence("NOT RUN", "another network")
        value = record.data["robust"]
        return Evidence("REPRODUCED" if value <= 10 else "FAILED", f"robust {value}")

    module = types.ModuleType("claims_of_a_test")
    module.net = net
    claims = registry(module)
    monkeypatch.setattr(command, "registry", lambda: claims)
    monkeypatch.setattr("proofs_check.running.registry", lambda: claims)
    return net


def written(path, data, schema="tightrope.nets/1"):
    Record.new(schema, data, command="test").write(path)
    return str(path)


def test_a_record_gives_a_network_its_verdict(bound, tmp_path, capsys):
    assert main(["report", "--json"]) == 0
    (line,) = json.loads(capsys.readouterr().out)["rows"]
    assert (line["verdict"], line["record"]) == ("NOT RUN", None)
    for value, verdict in ((9, "REPRODUCED"), (11, "FAILED")):
        path = written(tmp_path / "a.json", {"robust": value})
        other = written(tmp_path / "b.json", {"about": "something else"})
        assert main(["report", path, other, "--json"]) == 0  # by a rule fixed before, either is as expected
        (line,) = json.loads(capsys.readouterr().out)["rows"]
        assert (line["verdict"], line["record"], line["fault"]) == (verdict, path, "")
        assert line["sha256"] == Record.read(path).sha256
        assert main(["report", path, "--html", str(tmp_path / "r.html")]) == 0
        assert line["sha256"] in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_records_that_say_nothing_are_refused_in_one_sentence(bound, tmp_path, capsys):
    good = written(tmp_path / "good.json", {"robust": 1})
    edited = tmp_path / "edited.json"
    edited.write_text(Path(good).read_text(encoding="utf-8").replace('"robust": 1', '"robust": 2'), encoding="utf-8")
    other = written(tmp_path / "x.json", {}, "other/1")
    lacking, second = written(tmp_path / "y.json", {"robost": 1}), written(tmp_path / "z.json", {"robust": 2})
    cases = [
        ([other], "schema 'other/1', which no claim reads; allowed are tightrope.nets/1"),
        ([str(edited)], "edited by hand or damaged"),
        ([lacking], "lacks what claim 'odds-net' reads in a record (KeyError('robust'))"),
        ([good, second], "both speak of claim 'odds-net'; give one of them"),
        ([str(tmp_path / "none.json")], "none.json"),
    ]
    for paths, sentence in cases:
        assert main(["report", *paths, "--json"]) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert sentence in captured.err
        assert captured.err.count("\n") == 1


def test_a_record_of_ours_that_no_claim_reads_is_left_out(bound, tmp_path, capsys):
    path = written(tmp_path / "bridge.json", {}, "tightrope.nobody/1")
    assert main(["report", path, "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.err.count("is left out, for no claim reads the schema 'tightrope.nobody/1'") == 1
    assert json.loads(captured.out)


# ---- bad usage ----


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("report", "report writes nothing without --html FILE"),
        ("report --json --latex", "only one of"),
        ("report --html {read_only}/r.html", "you lack the permission"),
        ("report --html {tmp}/none/r.html", "there is no folder"),
        ("report --html {tmp}/r.txt", "allowed are .html, .htm"),
        ("report --markdown {tmp}/record.json", "allowed are .md"),
        ("report --json --verdicts {tmp}/none.jsonl", "does not exist; `run --out` writes such a file"),
        ("report --json --verdicts {tmp}/half.jsonl", "lacks the verdict on"),
    ],
)
def test_bad_usage_is_told_before_any_work(line, sentence, tmp_path, capsys, monkeypatch):
    def nothing(*args):
        raise AssertionError("work began")

    monkeypatch.setattr(command, "results", nothing)
    monkeypatch.setattr("os.access", lambda path, mode: "read_only" not in str(path))  # root may write anywhere
    (tmp_path / "read_only").mkdir()
    (tmp_path / "half.jsonl").write_text('{"key": "trades-eq1", "budget": 1, "seed": 0, "commit": null}\n')
    assert main(line.format(tmp=tmp_path, read_only=tmp_path / "read_only").split()) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert sentence in captured.err
    assert captured.err.count("\n") == 1


# ---- in a browser ----

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--hide-scrollbars",
         "--disable-background-networking", "--disable-component-update", "--disable-sync")  # fmt: skip
MISSING = [name for name in ("selenium", "axe_playwright_python") if util.find_spec(name) is None]
MISSING += [name for name, path in (("chromium", BROWSER), ("chromedriver", DRIVER)) if path is None]
needs_browser = pytest.mark.skipif(bool(MISSING), reason=f"the page was not tried: {', '.join(MISSING)} is missing")


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options, webdriver.ChromeService(DRIVER))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def address(html, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(html, encoding="utf-8")
    return path.as_uri()


def sized(browser, width, height=900, scheme="light"):
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    scheme = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", scheme)


def shown(browser):
    return browser.execute_script(
        "return [...document.querySelectorAll('details.claim')].filter(x => x.offsetParent !== null).map(x => x.id)"
    )


def typed(browser, name, value):
    """Set a field as a person would, and let the page notice."""
    browser.execute_script(
        "const field = document.getElementById(arguments[0]); field.value = arguments[1];"
        "field.dispatchEvent(new Event('input', {bubbles: true}))", name, value)  # fmt: skip


@needs_browser
def test_filter_and_search(browser, address, html):
    sized(browser, 1280)
    browser.get(address)
    assert shown(browser) == [entry.claim.key for entry in pinned(CLAIMS.values())]
    typed(browser, "paper", "TRADES")
    assert set(shown(browser)) == {key for key, item in CLAIMS.items() if item.paper == "TRADES"}
    typed(browser, "verdict", "AMENDED")
    assert set(shown(browser)) == {k for k, c in CLAIMS.items() if (c.paper, c.expected) == ("TRADES", "AMENDED")}
    before = shown(browser)
    browser.find_element("id", "search").send_keys("R_ROB(f) psi")  # as the statement is written, in any case
    blocks = {key: re.search(rf'<details class="claim" id="{key}".*?</details>', html, re.DOTALL)[0] for key in before}
    texts = {key: re.sub(r"<[^>]*>", "", block) for key, block in blocks.items()}
    assert shown(browser) == [key for key in before if "Rrob(f)" in texts[key] and "ψ" in texts[key]]
    assert 0 < len(shown(browser)) < len(before)
    browser.find_element("css selector", "button[type=reset]").click()
    browser.execute_async_script("setTimeout(arguments[0], 50)")
    assert len(shown(browser)) == len(CLAIMS)
    typed(browser, "search", "no-such-word-anywhere")
    assert shown(browser) == []
    assert browser.find_element("id", "count").text == f"0 of {len(CLAIMS)} entries are shown."
    assert not browser.find_element("id", "paper-SENSE").is_displayed()


@needs_browser
def test_a_link_opens_the_claim_even_if_it_was_filtered_out(browser, address):
    sized(browser, 1280)
    browser.get(f"{address}#trades-theorem-3.1-second")
    entry = browser.find_element("id", "trades-theorem-3.1-second")
    assert entry.get_attribute("open")
    typed(browser, "verdict", "AMENDED")
    browser.find_element("css selector", "#trades-theorem-3\\.1-second a").click()
    repair = browser.find_element("id", "trades-theorem-3.1-second-repaired")
    assert repair.get_attribute("open")
    assert repair.is_displayed()


@needs_browser
def test_the_keyboard_reaches_everything_in_order(browser, address):
    from selenium.webdriver.common.keys import Keys

    sized(browser, 1280)
    browser.get("about:blank")
    browser.get(address)
    seen = []
    for _ in range(10):
        browser.switch_to.active_element.send_keys(Keys.TAB)
        active = browser.switch_to.active_element
        seen.append(active.get_attribute("id") or active.text)
        assert browser.execute_script("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert seen[0] == "Skip to the claims"
    assert seen[2:7] == ["search", "paper", "verdict", "group", "open"]
    active = browser.switch_to.active_element  # the first claim or the paper's BibTeX
    assert active.tag_name == "summary"
    active.send_keys(Keys.ENTER)
    assert browser.execute_script("return document.activeElement.parentElement.open") is True


@needs_browser
def test_a_phone_never_scrolls_sideways(browser, address):
    sized(browser, 360, 740)
    browser.get(address)
    browser.execute_script("for (const x of document.querySelectorAll('details')) x.open = true")
    wide = browser.execute_script(
        "return [...document.querySelectorAll('body *')].filter(x => x.getBoundingClientRect().right > 361)"
        ".map(x => `${x.tagName} in ${(x.closest('.claim') || x).id}: ${x.textContent.slice(0, 60)}`)"
    )
    assert wide == []
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 360


@needs_browser
@pytest.mark.parametrize(("scheme", "width"), [("light", 1280), ("dark", 360)])
def test_axe_finds_nothing_to_complain_of(browser, entries, tmp_path, scheme, width):
    kinds = {entry.verdict: entry for entry in entries} | {bool(entry.claim.figure): entry for entry in entries}
    chosen = {entry.claim.key for entry in kinds.values()} | set(SHOWN)  # of each verdict, with witness, with figure
    some = [entry for entry in entries if entry.claim.key in chosen]
    (tmp_path / "some.html").write_text(page(some, "Some.", None), encoding="utf-8")
    script = Path(util.find_spec("axe_playwright_python").origin).with_name("axe.min.js").read_text(encoding="utf-8")
    sized(browser, width, scheme=scheme)
    browser.get((tmp_path / "some.html").as_uri())
    browser.execute_script("for (const x of document.querySelectorAll('details')) x.open = true")
    browser.execute_script(script)
    found = browser.execute_async_script("axe.run().then(arguments[arguments.length - 1])")
    assert [(fault["id"], fault["nodes"][0]["failureSummary"]) for fault in found["violations"]] == []
    assert len(found["passes"]) > 15


@needs_browser
def test_without_scripts_it_is_a_plain_page(browser, address):
    sized(browser, 1280)
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    try:
        browser.get(address)
        assert not browser.find_element("id", "filter").is_displayed()
        assert browser.find_element("id", "trades-eq1").is_displayed()
        browser.find_element("css selector", "#trades-eq1 > summary").click()
        assert browser.find_element("css selector", "#trades-eq1 dl").is_displayed()
    finally:
        browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


@needs_browser
def test_the_browser_loads_nothing_else(browser, address):
    browser.get(address)
    assert browser.execute_script("return performance.getEntriesByType('resource').map(x => x.name)") == []
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


if sys.platform == "linux" and Path("/etc/debian_version").exists():

    def test_debian_has_the_browser():
        """So that here nobody overlooks that the page was not tried."""
        if MISSING:
            pytest.skip(f"the page was not tried: {', '.join(MISSING)} is missing; .ci/run installs it")
