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
    // A place on the line is `u`; folds (time, u) make quiet time shorter than its share. To scale, u is the time.
    const folded = svg.dataset.folds.split(";").map((point) => point.split(",").map(Number));
    const straight = [folded[0], folded[folded.length - 1]].map(([t]) => [t, t]);
    let folds = folded;
    function along(value, from, to) {
      let low = 1, high = folds.length - 1;
      while (low < high) { const middle = (low + high) >> 1; if (folds[middle][from] < value) low = middle + 1; else high = middle; }
      const a = folds[low - 1], b = folds[low];
      return a[to] + (b[to] - a[to]) * (value - a[from]) / ((b[from] - a[from]) || 1);
    }
    const U = (t) => along(t, 0, 1), T = (u) => along(u, 1, 0);
    const home = pair(svg.dataset.window), marks = pair(svg.dataset.marks), pattern = one(".hatch", svg).id;
    let first, last;
    const ends = () => { first = folds[0][1]; last = folds[folds.length - 1][1]; };
    ends();
    const height = svg.viewBox.baseVal.height;
    const items = all(".it", svg).map((node) => ({
      node, start: Number(node.dataset.s), end: node.dataset.e === "" ? null : Number(node.dataset.e),
      rect: one("rect", node), text: one("text", node), label: one("text", node).textContent, tip: one("title", node).textContent,
      lane: one("rect", node).getAttribute("y"), bad: node.classList.contains("bad"),
    })).sort((a, b) => a.start - b.start);
    for (const item of items) one("title", item.node).remove();  // the tip below stands in for the browser's own
    const rules = all(".mark", svg).map((node) => ({ node, at: Number(node.dataset.s) }));
    const overview = one(".overview", figure), thumb = one("i", overview);
    const flags = marks.map((mark) => { const flag = document.createElement("u"); overview.append(flag); return [flag, mark]; });
    let [begin, end] = home.map(U), width = 0, at = -1;

    const far = (pixel) => Math.min(1e5, Math.max(-1e5, pixel));
    const place = (u) => far(left + (width - left) * (u - begin) / (end - begin));
    const x = (t) => place(U(t));
    const u = (pixel) => begin + (end - begin) * (pixel - left) / (width - left);
    const within = (event) => event.clientX - svg.getBoundingClientRect().left;

    function layout() {
      if (!svg.clientWidth) return;
      width = svg.clientWidth;
      svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
      one(".clip", svg).setAttribute("width", width - left);
      rooms();
      for (const item of items) {
        const from = x(item.start), to = item.end === null ? from + 1 : Math.max(x(item.end), from + 2);
        const outside = to < left || from > width;
        item.node.style.display = outside ? "none" : "";
        if (outside) continue;
        item.rect.setAttribute("x", item.end === null ? from - 1 : from);
        item.rect.setAttribute("width", item.end === null ? (item.bad ? 3 : 2) : to - from);
        // Inside its bar when it has one that is long enough, else behind it.
        const need = item.label.length * 6.7 + 5, at = Math.max(from, left), inside = item.end !== null && to - at >= need;
        const begins = item.end === null || inside ? at + 5 : to + 4;
        const fits = Math.floor((item.until - begins - 4) / 6.7), whole = item.label.length <= fits;
        item.text.style.display = whole || fits >= 7 ? "" : "none";
        item.text.textContent = whole ? item.label : `${item.label.slice(0, Math.max(fits - 1, 0))}…`;
        item.text.setAttribute("x", begins);
      }
      ruler();
      for (const [flag, mark] of flags) flag.style.left = `${100 * (U(mark) - first) / (last - first)}%`;
      thumb.style.left = `${100 * (begin - first) / (last - first)}%`;
      thumb.style.width = `${100 * (end - begin) / (last - first)}%`;
      figure.dataset.window = `${Math.round(T(begin))},${Math.round(T(end))}`;
    }
    function rooms() {
      // A label has room up to the next item of its lane; that of what broke up to the next that broke, and the items
      // under it go without.
      const next = {}, nextBad = {}, taken = {};
      for (let i = items.length - 1; i >= 0; i--) {
        const item = items[i], from = x(item.start);
        item.until = (item.bad ? nextBad[item.lane] : next[item.lane]) ?? width;
        next[item.lane] = from;
        if (item.bad) nextBad[item.lane] = from;
      }
      for (const item of items) {
        const from = x(item.start);
        if (item.bad && from >= left) taken[item.lane] = Math.min(item.until, from + item.label.length * 6.7 + 8);
        else if (from < (taken[item.lane] ?? 0)) item.until = 0;
      }
    }
    function ruler() {
      for (const rule of rules) for (const key of ["x1", "x2"]) rule.node.setAttribute(key, x(rule.at));
      const every = step(end - begin, Math.max(3, (width - left) / 84));
      axis.replaceChildren();
      let free = left;  // where the last text on the ruler ends
      const write = (text, at, kind) => {
        const half = kind ? text.length * 3.3 : 0, from = kind ? at - half : at + 3;
        if (from < free || from + text.length * 6.7 > width) return;
        const node = make("text", { x: kind ? at : from, y: 14, class: kind });
        node.textContent = text;
        axis.append(node);
        free = from + text.length * 6.7 + 12;
      };
      for (let i = 1; i < folds.length; i++) {
        const [[t0, u0], [t1, u1]] = [folds[i - 1], folds[i]];
        if (u1 < begin || u0 > end) continue;
        const from = Math.max(place(u0), left), to = Math.min(place(u1), width);
        if ((t1 - t0) > 2 * (u1 - u0)) {
          if (to - from < 3) continue;
          axis.append(make("rect", { x: from, y: top - 6, width: to - from, height: height - top, fill: `url(#${pattern})` }));
          write(time(t1 - t0, (t1 - t0) / 20), (from + to) / 2, "gap");
          continue;
        }
        const low = Math.max(t0, T(begin)), high = Math.min(t1, T(end));
        for (let tick = Math.ceil(low / every) * every; tick <= high; tick += every) {
          axis.append(make("line", { x1: x(tick), x2: x(tick), y1: top - 6, y2: height - 6 }));
          write(time(tick, every), x(tick), "");
        }
      }
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
      reset: () => show(...home.map(U)), all: () => show(first, last),
      mark: () => {
        at = (at + 1) % marks.length;
        const half = Math.min((end - begin) / 2, (last - first) / 16);
        show(U(marks[at]) - half, U(marks[at]) + half);
      },
      scale: (button) => {
        const window = [T(begin), T(end)];
        folds = folds === folded ? straight : folded;
        button.setAttribute("aria-pressed", String(folds === straight));
        ends();
        show(...window.map(U));
      },
    };
    for (const button of all("[data-do]", figure)) button.addEventListener("click", () => actions[button.dataset.do](button));
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
      else zoom(Math.exp(event.deltaY / 400), u(within(event)));
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
      const here_t = T(u(here)), fine = Math.max((end - begin) / 1000, 1);
      now.textContent = here < left ? "" : held && !held.pan ? `Δ ${time(Math.abs(here_t - T(u(held.x))), fine)}` : time(here_t, fine);
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
        show(...[u(Math.max(left, within(event))), u(held.x)].sort((a, b) => a - b));
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
  for (const row of all(".near")) {  // bring what the wire saw at the break into its pane; the first one last
    const pane = row.closest(".witness"), at = one(".near", pane);
    pane.scrollTop += at.getBoundingClientRect().top - pane.getBoundingClientRect().top - pane.clientHeight / 2;
  }
})();
