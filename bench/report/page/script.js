"use strict";
(() => {
  const root = document.documentElement;
  const one = (selector, within = document) => within.querySelector(selector);
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // Light or dark: what the reader's system says, until the button is used.
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const theme = (name) => { root.dataset.theme = name; };
  theme(dark.matches ? "dark" : "light");
  dark.addEventListener("change", () => theme(dark.matches ? "dark" : "light"));
  one("#theme").addEventListener("click", () => theme(root.dataset.theme === "dark" ? "light" : "dark"));
  for (const part of all(".proportions span")) part.style.flexGrow = part.dataset.share;

  // Filter: every word must occur; of the pressed outcomes any will do.
  const rows = all(".row"), chips = all(".chip"), search = one("#search");
  function filter() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const kinds = chips.filter((chip) => chip.getAttribute("aria-pressed") === "true").map((chip) => chip.dataset.kind);
    let shown = 0;
    for (const row of rows) {
      const yes = (!kinds.length || kinds.includes(row.dataset.kind)) && words.every((word) => row.dataset.text.includes(word));
      row.hidden = !yes;
      shown += yes;
    }
    for (const group of all(".group")) group.hidden = !one(".row:not([hidden])", group);
    one("#shown").textContent = `${shown} of ${rows.length} shown`;
    one("#nothing").hidden = shown > 0;
  }
  search.addEventListener("input", filter);
  for (const chip of chips) {
    chip.addEventListener("click", () => {
      chip.setAttribute("aria-pressed", String(chip.getAttribute("aria-pressed") !== "true"));
      filter();
    });
  }
  one("#clear").addEventListener("click", () => {
    search.value = "";
    for (const chip of chips) chip.setAttribute("aria-pressed", "false");
    filter();
  });
  one("#expand").addEventListener("click", (event) => {
    const open = event.target.textContent === "open all";
    for (const row of rows) if (!row.hidden) row.open = open;
    event.target.textContent = open ? "close all" : "open all";
  });

  // Time line.
  const units = [[1e9, "s"], [1e6, "ms"], [1e3, "µs"], [1, "ns"]];
  function step(span, wanted) {
    const raw = span / wanted, ten = 10 ** Math.floor(Math.log10(raw));
    return Math.max(1, ten * ([1, 2, 5, 10].find((m) => m * ten >= raw)));
  }
  function time(ns, fine) {
    const [size, unit] = units.find(([size]) => Math.max(Math.abs(ns), fine) >= size) || units[3];
    const digits = Math.min(9, Math.max(0, Math.ceil(Math.log10(size / Math.max(fine, 1)))));
    return `${(ns / size).toFixed(digits)} ${unit}`;
  }
  const make = (name, attributes) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    return node;
  };
  const tip = one("#tip");
  function pair(text) { return text.split(",").filter(Boolean).map(Number); }

  function zoomable(figure) {
    const svg = one(".timeline", figure), axis = one(".axis", svg), left = Number(svg.dataset.left), top = Number(svg.dataset.top);
    const [first, last] = pair(svg.dataset.span), home = pair(svg.dataset.window), marks = pair(svg.dataset.marks);
    const height = svg.viewBox.baseVal.height;
    const items = all(".it", svg).map((node) => ({
      node, start: Number(node.dataset.s), end: node.dataset.e === "" ? null : Number(node.dataset.e),
      rect: one("rect", node), text: one("text", node), tip: one("title", node).textContent,
      lane: one("rect", node).getAttribute("y"), bad: node.classList.contains("bad"),
    })).sort((a, b) => a.start - b.start);
    for (const item of items) one("title", item.node).remove();  // the tip below stands in for the browser's own
    const rules = all(".mark", svg).map((node) => ({ node, at: Number(node.dataset.s) }));
    const overview = one(".overview", figure), thumb = one("i", overview);
    for (const mark of marks) {
      const rule = document.createElement("u");
      rule.style.left = `${100 * (mark - first) / (last - first)}%`;
      overview.append(rule);
    }
    let [begin, end] = home, width = 0, at = -1;

    const x = (ns) => Math.min(1e5, Math.max(-1e5, left + (width - left) * (ns - begin) / (end - begin)));
    const ns = (pixel) => begin + (end - begin) * (pixel - left) / (width - left);
    const within = (event) => event.clientX - svg.getBoundingClientRect().left;

    function layout() {
      if (!svg.clientWidth) return;
      width = svg.clientWidth;
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      one(".clip", svg).setAttribute("width", width - left);
      const free = {};  // where the last label of a lane ends
      for (let i = items.length - 1, next = {}; i >= 0; i--) {
        items[i].room = (next[items[i].lane] ?? 1e6) - x(items[i].start);
        next[items[i].lane] = x(items[i].start);
      }
      for (const item of items) {
        const from = x(item.start), to = item.end === null ? from + 1 : Math.max(x(item.end), from + 2);
        const outside = to < left || from > width;
        item.node.style.display = outside ? "none" : "";
        if (outside) continue;
        item.rect.setAttribute("x", item.end === null ? from - 1 : from);
        item.rect.setAttribute("width", item.end === null ? (item.bad ? 3 : 2) : to - from);
        const label = Math.max(from, left) + 5, room = Math.min(item.room - 8, width - label), need = item.text.textContent.length * 6.7;
        const fits = label >= (free[item.lane] ?? 0) && (need <= room || item.bad || room > 120);
        item.text.style.display = fits ? "" : "none";
        if (fits) { item.text.setAttribute("x", label); free[item.lane] = label + Math.min(need, Math.max(room, 0)); }
      }
      for (const rule of rules) for (const key of ["x1", "x2"]) rule.node.setAttribute(key, x(rule.at));
      const every = step(end - begin, Math.max(3, (width - left) / 130));
      axis.replaceChildren();
      for (let tick = Math.ceil(begin / every) * every; tick <= end; tick += every) {
        axis.append(make("line", { x1: x(tick), x2: x(tick), y1: top - 6, y2: height - 6 }));
        const text = make("text", { x: x(tick) + 3, y: 14 });
        text.textContent = time(tick, every);
        if (x(tick) < width - 40) axis.append(text);
      }
      thumb.style.left = `${100 * (begin - first) / (last - first)}%`;
      thumb.style.width = `${100 * (end - begin) / (last - first)}%`;
      figure.dataset.window = `${Math.round(begin)},${Math.round(end)}`;
    }
    function show(from, to) {
      const span = Math.min(Math.max(to - from, 200), last - first);
      begin = Math.min(Math.max(from, first), last - span);
      end = begin + span;
      layout();
    }
    const zoom = (factor, centre = (begin + end) / 2) => show(centre - (centre - begin) * factor, centre + (end - centre) * factor);
    const move = (part) => show(begin + part * (end - begin), end + part * (end - begin));
    const actions = {
      in: () => zoom(0.5), out: () => zoom(2), left: () => move(-0.25), right: () => move(0.25),
      reset: () => show(...home), all: () => show(first, last),
      mark: () => { at = (at + 1) % marks.length; const half = Math.min((end - begin) / 2, 1e6); show(marks[at] - half, marks[at] + half); },
    };
    for (const button of all("[data-do]", figure)) button.addEventListener("click", () => actions[button.dataset.do]());
    svg.addEventListener("dblclick", actions.reset);
    svg.addEventListener("keydown", (event) => {
      const action = { "+": "in", "=": "in", "-": "out", ArrowLeft: "left", ArrowRight: "right", 0: "all", Escape: "reset" }[event.key];
      if (action) { event.preventDefault(); actions[action](); }
    });
    // The wheel scrolls the page until the time line has been clicked (or Ctrl is held): a report is read downwards.
    svg.addEventListener("wheel", (event) => {
      if (document.activeElement !== svg && !event.ctrlKey) return;
      event.preventDefault();
      if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) move((event.deltaX || event.deltaY) / 600);
      else zoom(Math.exp(event.deltaY / 400), ns(within(event)));
    }, { passive: false });
    overview.addEventListener("pointerdown", (event) => {
      const box = overview.getBoundingClientRect(), half = (end - begin) / 2;
      const centre = first + (last - first) * (event.clientX - box.left) / box.width;
      show(centre - half, centre + half);
    });

    let held = null;
    const drag = one(".drag", svg), cursor = one(".cursor", svg), now = one(".now", svg);
    svg.addEventListener("pointerdown", (event) => {
      if (event.button || within(event) < left) return;
      held = { x: within(event), begin, end, pan: event.shiftKey };
      svg.setPointerCapture(event.pointerId);
    });
    svg.addEventListener("pointermove", (event) => {
      const here = within(event);
      if (held && held.pan) {
        const shift = (here - held.x) / (width - left) * (held.end - held.begin);
        show(held.begin - shift, held.end - shift);
      } else if (held) {
        drag.setAttribute("x", Math.max(left, Math.min(held.x, here)));
        drag.setAttribute("width", Math.abs(here - held.x));
      }
      for (const key of ["x1", "x2"]) cursor.setAttribute(key, here < left ? -9 : here);
      now.textContent = here < left ? "" : held && !held.pan ? `Δ ${time(Math.abs(ns(here) - ns(held.x)), (end - begin) / 1000)}` : time(ns(here), (end - begin) / 1000);
      now.setAttribute("x", 8);
      const target = event.target.closest(".it"), item = target && items.find((one) => one.node === target);
      tip.hidden = !item || held;
      if (item) {
        tip.textContent = `${time(item.start, 1)}\n${item.tip}`;
        tip.style.left = `${Math.max(4, Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8))}px`;
        tip.style.top = `${event.clientY + 18 + tip.offsetHeight > innerHeight ? event.clientY - tip.offsetHeight - 10 : event.clientY + 18}px`;
      }
    });
    const release = (event) => {
      if (held && !held.pan && Math.abs(within(event) - held.x) > 4 && event.type === "pointerup") {
        const ends = [ns(Math.max(left, within(event))), ns(held.x)].sort((a, b) => a - b);
        show(...ends);
      }
      held = null;
      drag.setAttribute("width", 0);
    };
    svg.addEventListener("pointerup", release);
    svg.addEventListener("pointercancel", release);
    svg.addEventListener("pointerleave", () => { tip.hidden = true; now.textContent = ""; for (const key of ["x1", "x2"]) cursor.setAttribute(key, -9); });
    new ResizeObserver(layout).observe(svg);
    layout();
  }
  for (const figure of all(".zoomable")) zoomable(figure);
})();
