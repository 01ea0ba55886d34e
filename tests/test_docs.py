"""The site builds without a warning, loads nothing, and leaves no section out."""

import re
import shutil
import subprocess
import sys
from functools import reduce
from pathlib import Path

import pytest

import keras_seq as ks

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
READMES = [ROOT / "README.md", ROOT / "README.zh.md", ROOT / "CONTRIBUTING.md"]
LINK = re.compile(r"\]\(([^)\s]+)\)")
# What a browser would fetch while it shows a page: a plain link is not.
FETCHED = re.compile(
    r"""<(?:script|img|iframe|source|audio)[^>]*\ssrc=["'](?:https?:)?//"""
    r"""|<link[^>]*\shref=["'](?:https?:)?//[^>]*stylesheet"""
    r"""|<link[^>]*stylesheet[^>]*\shref=["'](?:https?:)?//"""
)
TABLE_ROW = re.compile(r"^\| (.+?) \| \[.+?\]\((.+?)\) \| `(\S+)` \| `(\S+)` \|$", re.M)
# What is known of the tutorial: each word has to stand in a row of the table.
SECTIONS = """
    build_simple_rnn build_lstm_model build_gru_model build_bidirectional_lstm
    build_sentiment_model build_stock_prediction_model build_speech_model
    preprocess_text TrainingMonitor lr_schedule monitor_gradients
    detect_gradient_explosion hyperparameter_search""".split()
SECTIONS += ["Vanishing", "One to one", "One to many", "Many to one", "in step"]
SECTIONS += ["encoder and decoder", "Attention: scores", "multi-head", "Transformer"]
SECTIONS += ["Text generation", "Which network", "Neuro-symbolic", "Lifelong"]
BUGS = (
    """lr_schedule super().__init__ four product build_model Chinese batch_input_shape
    reset_after=False""".split()
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; a link or an anchor that leads nowhere is an error."""
    pytest.importorskip("mkdocs", reason="the extra `docs` is not installed")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir"]
    done = subprocess.run(
        [*command, str(folder)], cwd=ROOT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_is_there_and_fetches_nothing(site: Path):
    pages = {path.relative_to(DOCS).with_suffix(".html") for path in DOCS.rglob("*.md")}
    built = {path.relative_to(site) for path in site.rglob("*.html")}
    assert pages <= built
    for path in site.rglob("*.html"):
        assert FETCHED.findall(path.read_text("utf-8")) == [], path


def test_examples_of_docstrings_are_code(site: Path):
    page = (site / "api.html").read_text("utf-8")
    assert "build_lstm_model" in page and page.count('class="doc doc-heading"') > 100
    assert "&gt;&gt;&gt; " in page and "<p>&gt;&gt;&gt;" not in page


def test_a_broken_link_is_an_error(tmp_path: Path):
    pytest.importorskip("mkdocs", reason="the extra `docs` is not installed")
    shutil.copy(ROOT / "mkdocs.yml", tmp_path)
    text = (tmp_path / "mkdocs.yml").read_text("utf-8")
    text = text[: text.index("plugins:")] + text[text.index("validation:") :]
    (tmp_path / "mkdocs.yml").write_text(text[: text.index("nav:")], "utf-8")
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "index.md").write_text("[there](index.md#nowhere)\n")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0 and "#nowhere" in done.stderr


def test_every_public_name_stands_on_the_api_page():
    page = (DOCS / "api.md").read_text("utf-8")
    listed = {line.split(".")[-1] for line in page.split("\n") if line[:3] == ":::"}
    rooms = [path.parent.name for path in Path(ks.__file__).parent.glob("*/*.pyi")]
    public = [(name, getattr(ks, name)) for name in ks.__all__]
    for room in (getattr(ks, name) for name in rooms):
        public += [(name, getattr(room, name)) for name in room.__all__]
    missing = {name for name, thing in public if callable(thing)} - listed
    assert missing == set()


def test_the_readme_is_short_and_its_links_lead_somewhere():
    assert len(READMES[0].read_text("utf-8").splitlines()) <= 200
    for page in READMES:
        for link in LINK.findall(page.read_text("utf-8")):
            path, _, _ = link.partition("#")
            assert "://" in link or (page.parent / path).exists(), (page.name, link)


def coverage() -> str:
    return (DOCS / "en" / "coverage.md").read_text("utf-8")


ROWS = TABLE_ROW.findall(coverage())


@pytest.mark.parametrize(("section", "link", "name", "test"), ROWS)
def test_a_section_has_its_page_its_function_and_its_test(
    section: str, link: str, name: str, test: str
):
    path, _, anchor = link.partition("#")
    page = (DOCS / "en" / path).read_text("utf-8")
    assert not anchor or anchor in anchors(page), section
    assert callable(reduce(getattr, name.split("."), ks))
    assert (ROOT / test).is_file(), section


def anchors(page: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page, re.M)
    return {
        re.sub(r"[^\w ]", "", h).strip().lower().replace(" ", "-") for h in headings
    }


@pytest.mark.parametrize("section", SECTIONS)
def test_every_section_that_is_known_has_its_row(section: str):
    assert any(section in row[0] + row[2] for row in ROWS)


@pytest.mark.parametrize("bug", BUGS)
@pytest.mark.parametrize("page", ["en/tutorial.md", "zh/tutorial.md", "en/coverage.md"])
def test_every_bug_that_is_known_is_named(bug: str, page: str):
    words = {"Chinese": "汉字", "four": "四次"} if page[:2] == "zh" else {}
    text = (DOCS / page).read_text("utf-8")
    assert words.get(bug, bug) in text


def test_both_languages_have_the_same_sections():
    english, chinese = (
        (DOCS / language / "tutorial.md").read_text("utf-8")
        for language in ("en", "zh")
    )
    own = re.findall(r"^## .+ \{#(\S+)\}$", chinese, re.M)
    assert [name for name in own if name not in anchors(english)] == []
    assert len(own) == len(re.findall(r"^## ", english, re.M))
