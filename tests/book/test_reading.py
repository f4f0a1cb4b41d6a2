"""Every page of the built book, read in Chromium: light and dark, on a desk and on a phone."""

import pytest

pytestmark = [pytest.mark.book, pytest.mark.needs("chromium")]

WINDOWS = [
    pytest.param((width, mode), id=f"{width}-{mode}")
    for width in (1280, 390)
    for mode in ("light", "dark")
]

# Text that MathJax should have rendered, wherever it is shown as it was typed.
RAW_MATH = r"""
() => {
  const walker = document.createTreeWalker(document.querySelector('article'), NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const node = walker.currentNode;
    if (node.parentElement.closest('pre, code, script, style, mjx-container, svg')) continue;
    if (/\\\(|\\\[|\$\$|\{(cite|ref|doc|eq|numref)[:}]|^:::|^\s*\|.*\|/.test(node.data)) {
      found.push(node.data.trim());
    }
  }
  return found;
}
"""
FORMULAS = """
() => [...document.querySelectorAll('.math')].filter(
  math => !math.querySelector('mjx-container svg') || math.querySelector('[data-mml-node=merror]')
).map(math => math.textContent.trim())
"""
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize("read", WINDOWS, indirect=True)
def test_every_page_is_sound(read, pages):
    assert len(pages) >= 10, f"expected the whole book, got {pages}"
    for name in pages:
        read.open(name)
        assert read.page.locator("article h1").count() == 1, f"{name}: expected one title"
        assert read.page.evaluate(FORMULAS) == [], f"{name}: formulas that were not rendered"
        assert read.page.evaluate(RAW_MATH) == [], f"{name}: markup that is shown as text"
        assert read.page.evaluate(OVERFLOW) <= 0, f"{name}: wider than the window"
        assert read.faults == [], f"{name}: {read.faults}"


@pytest.mark.parametrize("read", [(1280, "light"), (1280, "dark")], indirect=True, ids=str)
def test_the_mode_follows_the_system(read):
    read.open("intro.html")
    background = read.page.evaluate("getComputedStyle(document.body).backgroundColor")
    mode = read.page.evaluate(
        "matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'"
    )
    darkest = max(int(part) for part in background[4:-1].split(",")[:3])
    assert (darkest < 64) == (mode == "dark"), f"{mode}: the page's background is {background}"


def test_search_finds_a_chapter_by_a_word_of_its_text(read):
    read.open("search.html?q=attention")
    results = read.page.locator("ul.search li a")
    results.first.wait_for()
    found = " ".join(results.all_text_contents())
    assert "ttention" in found, f"expected a page about attention among: {found}"
    assert read.faults == []


def test_every_link_inside_the_book_leads_somewhere(read, pages, html):
    broken = set()
    for name in pages:
        read.open(name)
        for target in read.page.evaluate("[...document.links].map(link => link.href)"):
            if target.startswith(read.address):
                path = target.removeprefix(read.address + "/").split("#")[0].split("?")[0]
                if path and not (html / path).exists():
                    broken.add(f"{name} -> {path}")
    assert broken == set()
