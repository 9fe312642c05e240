"""The HTML page, in the machine's own headless Chromium: readable, zoomable, and nothing in it acts or loads."""
import dataclasses
import re
import struct
from html.parser import HTMLParser

import pytest

from bench import report
from bench.errors import SetupError
from bench.report.screenshot import browser
from bench.store import CallError, CallRecord, HealthIssue, Measurement, WireEvent
from bench.verdict import Outcome, Verdict, Witness
from drivers.fingerprint.checks.image import png


def window(page):
    begin, end = page.locator(".zoomable").first.get_attribute("data-window").split(",")
    return int(begin), int(end)


def test_the_page_loads_nothing_and_says_nothing_on_the_browsers_console(opened, sample):
    page = opened(sample)
    page.click("#expand")
    page.click("#theme")
    assert page.seen == []
    assert page.evaluate("performance.getEntriesByType('resource').length") == 0


def test_the_reason_of_the_failure_can_be_read_without_scrolling(opened, sample):
    page = opened(sample)
    box = page.locator("p.lead").bounding_box()
    assert box["y"] + box["height"] < 900
    assert "2 completions came back" in page.locator("p.lead").inner_text()
    assert page.title() == "Failed: twin210 6.12.107"
    assert page.locator("h1").inner_text() == "Failed 1 of 21 checks failed."


def test_the_three_witnesses_stand_side_by_side(opened, sample):
    card = opened(sample).locator(".card.fail")
    boxes = [card.locator(".witness").nth(n).bounding_box() for n in range(3)]
    assert len({box["y"] for box in boxes}) == 1
    assert boxes[0]["x"] < boxes[1]["x"] < boxes[2]["x"]
    texts = [card.locator(".witness").nth(n).inner_text() for n in range(3)]
    assert "{sent: 3, completed: 2}" in texts[0]
    assert "bench:dm9000_start_xmit" in texts[1] and "skb=0xc1a44200" in texts[1]
    assert "fault swallow_tx_completion: no TX1END, no PTS" in texts[2]


def test_what_the_wire_saw_at_the_break_is_in_sight(opened, sample):
    page = opened(sample)
    near = page.locator("tr.near")
    assert [text.split("\t")[-1].splitlines()[0] for text in near.all_inner_texts()] == [
        "MWCMD: 60 bytes into TX SRAM", "NCR.RST: software reset"]
    pane, row = page.locator(".card.fail .witness").nth(2).bounding_box(), near.first.bounding_box()
    assert pane["y"] < row["y"] < pane["y"] + pane["height"]


def test_the_filter_by_words_and_by_outcome(opened, sample):
    page = opened(sample)
    shown = page.locator("#shown")
    page.fill("#search", "EEPROM reads")
    assert shown.inner_text() == "1 of 21 shown"
    assert page.locator(".row:visible .sentence").inner_text() == "ethtool writes the EEPROM and reads it back"
    assert page.locator(".group:visible h3").inner_text() == "dm9000 10 checks"
    page.fill("#search", "")
    page.click(".chip.fail")
    page.click(".chip.inconclusive")
    assert shown.inner_text() == "2 of 21 shown"
    page.fill("#search", "no such words")
    assert page.locator("#nothing").is_visible()
    page.click("#clear")
    assert shown.inner_text() == "21 of 21 shown"


def test_passed_checks_are_closed_and_open_to_their_evidence(opened, sample):
    page = opened(sample)
    row = page.locator(".row", has_text="carrier follows the cable")
    assert not row.locator(".inside").is_visible()
    row.locator("summary").first.click()
    assert "carrier down" in row.locator(".inside").inner_text()


def test_buttons_zoom_move_and_go_back(opened, sample):
    page = opened(sample)
    home = window(page)
    page.click("[data-do=in]")
    inner = window(page)
    assert home[0] < inner[0] < inner[1] < home[1]
    page.click("[data-do=right]")
    assert window(page)[0] > inner[0]
    page.click("[data-do=mark]")
    begin, end = window(page)
    assert begin < 16_221_000 < end
    page.click("[data-do=mark]")
    begin, end = window(page)
    assert begin < 5_216_400_000 < end
    page.click("[data-do=reset]")
    assert window(page) == home


def test_the_wheel_zooms_where_the_pointer_is_once_the_line_was_clicked(opened, sample):
    page = opened(sample)
    plot = page.locator(".timeline").first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    home = window(page)
    page.mouse.move(box["x"] + 900, box["y"] + 100)
    page.mouse.wheel(0, 60)
    assert window(page) == home  # it scrolled the page
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    page.mouse.click(box["x"] + 900, box["y"] + 100)
    page.mouse.wheel(0, -300)
    page.wait_for_function(f"document.querySelector('.zoomable').dataset.window !== '{home[0]},{home[1]}'")
    begin, end = window(page)
    assert end - begin < home[1] - home[0]


def test_a_drag_zooms_into_its_range_and_a_double_click_goes_back(opened, sample):
    page = opened(sample)
    plot = page.locator(".timeline").first
    plot.scroll_into_view_if_needed()
    box, home = plot.bounding_box(), window(page)
    page.mouse.move(box["x"] + 400, box["y"] + 60)
    page.mouse.down()
    page.mouse.move(box["x"] + 600, box["y"] + 60, steps=4)
    assert page.locator(".now").first.text_content().startswith("Δ ")
    page.mouse.up()
    begin, end = window(page)
    assert home[0] < begin < end < home[1]
    page.mouse.dblclick(box["x"] + 500, box["y"] + 60)
    assert window(page) == home


def test_keys_zoom_the_line_that_has_the_focus(opened, sample):
    page = opened(sample)
    plot, home = page.locator(".timeline").first, window(page)
    plot.focus()
    page.keyboard.press("+")
    assert window(page) != home
    page.keyboard.press("Escape")
    assert window(page) == home


def test_to_scale_gives_each_second_its_share(opened, sample):
    page = opened(sample)
    def gap():
        marks = page.locator(".zoomable").first.locator("line.mark")
        return [float(marks.nth(n).get_attribute("x1")) for n in range(2)]
    folded = gap()
    page.click("[data-do=scale]")
    page.click("[data-do=all]")
    left, right = gap()
    assert folded[1] - folded[0] < 400
    assert right - left > 900  # 5.2 s of 5.4 s


def test_a_tip_shows_the_fields_of_an_event(opened, sample):
    page = opened(sample)
    page.locator("g.it.event.bad rect").first.hover(force=True)
    assert page.locator("#tip").inner_text() == (
        "16.221000 ms\nbench:dm9000_start_xmit  cpu 0  pid 214\n__probe_ip = 0xbf001f84\nskb = 0xc1a44200")


def test_what_broke_is_drawn_red_and_has_its_name(opened, sample):
    page = opened(sample)
    label = page.locator("g.it.event.bad text").first
    assert (label.is_visible(), label.text_content()) == (True, "dm9000_start_xmit")
    fills = page.evaluate("[...document.querySelectorAll('g.it.bad rect')].map((r) => getComputedStyle(r).fill)")
    assert set(fills) == {"rgb(179, 38, 30)"}


def test_light_and_dark_follow_the_reader_and_the_button(opened, sample):
    page = opened(sample, "dark")
    def ground():
        return page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert ground() == "rgb(18, 22, 27)"
    page.click("#theme")
    assert ground() == "rgb(244, 245, 247)"


def test_a_narrow_window_stacks_the_witnesses_and_never_scrolls_sideways(opened, sample):
    page = opened(sample)
    page.set_viewport_size({"width": 480, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 480


def hostile_everywhere(check, text):
    return dataclasses.replace(
        check, sentence=text, name=text, reason=text, device=text, exerciser=text, failure=f"E  {text}", faults=(text,),
        measured=(Measurement(text, 2, text, 1, False),), pcap=text, known_defect=None,
        health=(HealthIssue(text, text, "fail"),), console=((check.started_ns, text),), kmsg=((1, 2, text),),
        wire=(WireEvent(check.started_ns, text, "out", text, text),),
        calls=(CallRecord(text, {text: text}, text, None, device=text, verdicts=(
                   Verdict(Outcome.FAIL, text, text, (Witness(1, 0, 1, text, {text: text}),)),)),
               CallRecord(text, {}, None, CallError(text, text, 5, text))))


def test_hostile_text_is_shown_and_does_nothing(opened, recorded, failing, hostile, sample):
    run = dataclasses.replace(sample.run, board=hostile, kernel=hostile, host=hostile, faults=(hostile,),
                              identity={hostile: {hostile: hostile}})
    attacks = (hostile, "</style><img src=x onerror=document.title='owned'>", "\"><svg onload=document.title='owned'>",
               "</title></script><script>document.title='owned'</script>", "{{ 7*7 }}{% raw %}")
    checks = [hostile_everywhere(failing, text) for text in attacks]
    page = opened(recorded(*checks, dataclasses.replace(checks[0], outcome=Outcome.PASS), run=run))
    page.click("#expand")
    page.fill("#search", "<script>")
    assert "owned" not in page.title().replace("document.title='owned'", "")
    assert page.seen == []
    assert page.locator("body img").count() == 0
    assert page.locator("script").count() == 1
    assert "{{ 7*7 }}" in page.locator("body").inner_text()


class Tags(HTMLParser):
    """Counts start tags."""

    def __init__(self, text):
        super().__init__()
        self.tags = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            assert not name.startswith("on") and name not in ("src", "style"), (tag, attrs)
            assert name != "href" or value.startswith("#"), (tag, attrs)


def test_no_control_character_and_no_foreign_tag_is_in_the_file(recorded, failing, hostile):
    text = report.render(recorded(hostile_everywhere(failing, hostile)))
    assert re.findall("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", text) == []
    assert Tags(text).tags.count("script") == 1


def test_a_record_without_checks_and_one_that_was_cut_are_shown(opened, recorded, others):
    assert opened(recorded()).locator("h1").inner_text() == "Inconclusive No check ran."
    page = opened(recorded(others[0], end=False))
    assert page.locator("h1").inner_text() == "Broken No check failed in the 1 check that ran."
    assert "there is no end line" in page.locator(".note").inner_text()


def test_long_lists_are_cut_and_say_so(recorded, failing):
    start = failing.started_ns
    wire = tuple(WireEvent(start + n * 1000, "cable", "out", f"frame {n}") for n in range(500))
    text = report.render(recorded(dataclasses.replace(failing, wire=wire)))
    assert "… 452 earlier not shown" in text
    assert len(text) < 400_000


def test_the_same_verdict_of_many_calls_is_shown_once_with_their_number(recorded, failing):
    calls = tuple(dataclasses.replace(failing.calls[1], trace=None) for _ in range(50))
    text = report.render(recorded(dataclasses.replace(failing, calls=calls)))
    assert text.count("(50 times, the first shown)") == 4


def test_a_picture_of_the_page_is_a_png_of_the_size_asked_for(sample, tmp_path):
    try:
        browser()
    except SetupError as error:
        pytest.skip(str(error))
    files = report.write(sample, tmp_path)
    png = report.picture(files.html, tmp_path / "report.png", width=1000, height=700)
    data = png.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", data[16:24]) == (1000, 700)


def test_a_picture_that_a_check_kept_is_shown_beside_its_witnesses(opened, sample):
    checks = [dataclasses.replace(c, files=("files/0001-finger.png", "files/gone.png", "../outside.png"))
              if c.outcome is Outcome.FAIL else c for c in sample.checks]
    (sample.folder / "files").mkdir(exist_ok=True)
    data = png(bytes(range(64)), 8, 8)
    (sample.folder / "files" / "0001-finger.png").write_bytes(data)
    (sample.folder.parent / "outside.png").write_bytes(data)
    page = opened(dataclasses.replace(sample, checks=tuple(checks)))
    pictures = page.locator(".card .picture img")
    assert pictures.count() == len([c for c in checks if c.files])
    assert pictures.first.evaluate("image => [image.complete, image.naturalWidth, image.naturalHeight]") == [True, 8, 8]
    assert page.seen == []
