"""Markup: whatever a text holds, it stays text; what is invisible in it is seen."""

from html import unescape
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from evals.markup import Markup, joined, tag, void, words


class _Parsed(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, list[tuple[str, str | None]]]] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, attrs))

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text())
def test_a_text_is_one_text_whatever_it_holds(text: str) -> None:
    parsed = _Parsed(tag("p", text, title=text))
    assert [name for name, _ in parsed.tags] == ["p"]
    assert [key for key, _ in parsed.tags[0][1]] == ["title"]
    assert parsed.text == unescape(words(text))


def test_invisible_characters_are_written_as_their_codes() -> None:
    # A right-to-left override would turn what follows it around; a tag character hides a text in plain sight.
    assert words("a\u202eb") == "a\\u202eb"
    assert words("\U000e0041") == "\\U000e0041"
    assert words("\x1b[31m") == "\\u001b[31m"


def test_markup_is_not_escaped_twice() -> None:
    inner = tag("b", "1 < 2")
    assert joined([inner, " & ", None, 3]) == "<b>1 &lt; 2</b> &amp; 3"
    assert isinstance(inner, Markup)


def test_attributes_are_left_out_or_bare_or_quoted() -> None:
    assert tag("details", open=True, class_="case", hidden=False, id=None) == '<details open class="case"></details>'
    assert void("meta", http_equiv='"x"') == '<meta http-equiv="&quot;x&quot;"/>'
