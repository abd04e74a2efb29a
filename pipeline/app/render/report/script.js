// The report's behaviour: one page at a time in a one-file report, sorting, and strip, transcript, ledger and audio that
// move together. Without it every page is still there to be read.
"use strict";
(() => {
  const body = document.body;
  body.classList.add("js");
  const single = body.dataset.layout === "single";
  const clock = (ms) => {
    const s = Math.max(0, Math.floor(ms / 1000));
    return String(Math.floor(s / 60)).padStart(2, "0") + ":" + String(s % 60).padStart(2, "0");
  };
  const byId = (hash) => hash.length > 1 && document.getElementById(decodeURIComponent(hash.slice(1)));
  const motion = () => (matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth");

  // ---- pages
  let page = document.querySelector(".page");
  const baseTitle = document.title;
  function show(next) {
    if (single && next !== page) document.querySelectorAll("audio").forEach((audio) => audio.pause());
    document.querySelectorAll(".page.shown").forEach((shown) => shown.classList.remove("shown"));
    next.classList.add("shown");
    page = next;
    if (single) document.title = next.dataset.title + " – callmark";
  }
  function follow(scroll) {
    const target = byId(location.hash);
    if (target && !target.closest(".page")) return;
    const next = (target && target.closest(".page")) || document.querySelector(".page");
    const changed = next !== page;
    show(next);
    if (!target || target === next) {
      if (single && (changed || !scroll)) window.scrollTo(0, 0);
      return;
    }
    if (target.matches(".turn, tr.row")) select(target, true);
    else target.scrollIntoView();
  }
  addEventListener("hashchange", () => follow(true));

  // ---- one call: a moment in strip, transcript, ledger and audio
  const state = new Map(); // page → {at, flag}
  const of = (p) => { if (!state.has(p)) state.set(p, { at: 0, flag: -1, audio: null }); return state.get(p); };
  const isCall = () => !!(page && page.querySelector(".player"));
  const duration = () => Math.max(1, ...[...page.querySelectorAll(".turn[data-end]")].map((turn) => +turn.dataset.end));
  const flags = () => [...page.querySelectorAll("tr.row[data-flag]")].sort((a, b) => a.dataset.flag - b.dataset.flag);
  const rowTitle = (row) => row.querySelector(".name").textContent;

  function mark(kind, element) {
    page.querySelectorAll(kind + ".current").forEach((old) => old.classList.remove("current"));
    if (element) element.classList.add("current");
  }
  function turnAt(ms) {
    let found = null;
    for (const turn of page.querySelectorAll(".turn[data-begin]")) {
      if (+turn.dataset.begin <= ms) { if (!found || ms < +turn.dataset.end || +turn.dataset.begin > +found.dataset.begin) found = turn; } else break;
    }
    return found;
  }
  function clipAt(ms) {
    return [...page.querySelectorAll(".clip")].find((clip) => +clip.dataset.begin <= ms && ms < +clip.dataset.end);
  }
  function intoView(element) {
    if (!element) return;
    const side = element.closest(".side");
    if (side && getComputedStyle(side).position === "sticky") {
      const top = element.getBoundingClientRect().top - side.getBoundingClientRect().top;
      side.scrollTo({ top: side.scrollTop + top - side.clientHeight / 3, behavior: motion() });
    } else {
      element.scrollIntoView({ block: "center", behavior: motion() });
    }
  }
  function placePlayhead(ms) {
    const head = page.querySelector(".playhead");
    const strip = page.querySelector("[data-duration]");
    if (head && strip) { const x = Math.min(100, (ms / +strip.dataset.duration) * 100) + "%"; head.setAttribute("x1", x); head.setAttribute("x2", x); }
    page.querySelector(".player .time").textContent = clock(ms);
  }
  // Moves everything to a time. `seek` sets the audio too (false while the audio itself tells the time).
  function moveTo(ms, seek, scrollTranscript) {
    const now = of(page);
    now.at = ms;
    placePlayhead(ms);
    const turn = turnAt(ms);
    if (!turn || !turn.classList.contains("current")) {
      mark(".turn", turn);
      mark(".block", turn && page.querySelector('.block[href="#' + turn.id + '"]'));
      if (turn && scrollTranscript) intoView(turn);
    } else if (scrollTranscript) intoView(turn);
    if (!seek) return;
    const clip = clipAt(ms);
    const player = page.querySelector(".player");
    page.querySelectorAll(".clip").forEach((other) => { if (other !== clip) { other.querySelector("audio").pause(); other.hidden = true; } });
    const button = player.querySelector(".toggle-play");
    button.disabled = !clip;
    if (clip) {
      clip.hidden = false;
      const audio = clip.querySelector("audio");
      now.audio = audio;
      audio.currentTime = Math.max(0, (ms - clip.dataset.begin) / 1000);
    } else now.audio = null;
    button.title = clip ? clip.dataset.label : player.dataset.noClip;
  }
  function select(element, scroll) {
    if (!isCall()) return;
    const row = element.matches("tr.row") ? element : null;
    if (row) {
      mark("tr.row", row);
      intoView(row);
      row.focus({ preventScroll: true });
      const list = flags();
      of(page).flag = list.indexOf(row);
      mark(".pin", row.dataset.flag && [...page.querySelectorAll(".pin")].find((pin) => pin.querySelector("text").textContent === row.dataset.flag));
      page.querySelector(".player .now").textContent = (row.dataset.flag ? row.dataset.flag + "/" + list.length + " " : "") + rowTitle(row);
    } else {
      mark("tr.row", null);
      page.querySelector(".player .now").textContent = "";
    }
    if (element.dataset.begin) moveTo(+element.dataset.begin, true, scroll);
    else if (!row) intoView(element);
  }
  function step(by) {
    const list = flags();
    if (!list.length) return;
    const now = of(page);
    now.flag = Math.min(list.length - 1, Math.max(0, now.flag + by));
    history.replaceState(null, "", "#" + list[now.flag].id);
    select(list[now.flag], true);
  }
  function toggle() {
    const audio = of(page).audio;
    if (!audio) return;
    if (audio.paused) audio.play().catch(() => {}); else audio.pause();
  }
  function playing(audio) {
    const p = audio.closest(".page");
    const player = p.querySelector(".player");
    const button = player.querySelector(".toggle-play");
    button.textContent = audio.paused ? "▶" : "❚❚";
    button.setAttribute("aria-label", audio.paused ? player.dataset.paused : player.dataset.playing);
  }
  document.querySelectorAll(".clip audio").forEach((audio) => {
    const begin = +audio.parentElement.dataset.begin;
    for (const event of ["play", "pause", "ended"]) audio.addEventListener(event, () => playing(audio));
    audio.addEventListener("timeupdate", () => { if (!audio.paused && audio.closest(".page") === page) moveTo(begin + audio.currentTime * 1000, false, false); });
  });

  // ---- moments on a rep's page
  const listener = new Audio();
  let heard = null;
  function hear(button) {
    const source = button.dataset.source;
    let src = source;
    let from = +button.dataset.clipBegin;
    if (source.startsWith("#")) {
      const clip = [...byId(source).querySelectorAll(".clip")].find((c) => +c.dataset.begin === from);
      if (!clip) return;
      src = clip.querySelector("audio").src;
    }
    if (heard === button && !listener.paused) { listener.pause(); return; }
    if (heard !== button) { listener.src = src; listener.currentTime = Math.max(0, (button.dataset.begin - from) / 1000 - 1); }
    if (heard && heard !== button) heard.textContent = "▶";
    heard = button;
    listener.play().catch(() => {});
  }
  for (const event of ["play", "pause", "ended"]) listener.addEventListener(event, () => { if (heard) heard.textContent = listener.paused ? "▶" : "❚❚"; });

  // ---- clicks
  document.addEventListener("click", (event) => {
    const at = (selector) => event.target.closest(selector);
    let element;
    if ((element = at(".sort"))) return sort(element.closest("th"));
    if (at(".show-keys")) return document.querySelector("dialog.keys").showModal();
    if ((element = at(".hear"))) return hear(element);
    if (at(".toggle-play")) return toggle();
    if (at(".previous")) return step(-1);
    if (at(".next")) return step(1);
    if ((element = at("button.at, button.play"))) {
      const row = element.closest("tr.row");
      select(row || element.closest(".turn"), true);
      if (element.dataset.begin) moveTo(+element.dataset.begin, true, true);
      if (element.matches(".play")) toggle();
      return;
    }
    // A link to the place that is the address already gives no hashchange.
    if ((element = at("a[href]")) && element.getAttribute("href") === location.hash) { event.preventDefault(); follow(true); }
  });

  // ---- tables
  function sort(head) {
    const table = head.closest("table");
    const column = [...head.parentElement.children].indexOf(head);
    const down = head.getAttribute("aria-sort") !== "descending" && (head.matches(".n, .chart, .small-chart") || head.getAttribute("aria-sort") === "ascending");
    head.parentElement.querySelectorAll("[aria-sort]").forEach((other) => other.setAttribute("aria-sort", "none"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = (row) => { const cell = row.children[column]; return cell.dataset.v !== undefined ? cell.dataset.v : cell.textContent.trim(); };
    const rows = [...table.tBodies[0].rows].map((row, index) => ({ row, index, value: value(row), last: row.dataset.last !== undefined }));
    const numeric = rows.every(({ value }) => value !== "" && !isNaN(value));
    const order = new Intl.Collator(document.documentElement.lang, { numeric: true });
    rows.sort((a, b) => (a.last - b.last) || (down ? -1 : 1) * (numeric ? a.value - b.value : order.compare(a.value, b.value)) || a.index - b.index);
    table.tBodies[0].append(...rows.map(({ row }) => row));
  }

  // ---- keys
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select, dialog[open]")) return;
    if (event.key === "?") { document.querySelector("dialog.keys").showModal(); return; }
    if (!isCall()) return;
    const onControl = event.target.closest("button, summary, a");
    const rate = { 1: 1, 2: 1.25, 3: 1.5, 4: 2 }[event.key];
    if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
    else if (event.key === " " && !onControl) toggle();
    else if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
      if (event.target.closest(".table-scroll, .strip-scroll")) return;
      moveTo(Math.min(duration(), Math.max(0, of(page).at + (event.key === "ArrowLeft" ? -3000 : 3000))), true, true);
    } else if (rate) page.querySelectorAll("audio").forEach((audio) => { audio.playbackRate = rate; });
    else return;
    event.preventDefault();
  });

  // ---- printing shows what was folded
  let folded = [];
  addEventListener("beforeprint", () => { folded = [...page.querySelectorAll("details:not([open])")]; folded.forEach((details) => { details.open = true; }); });
  addEventListener("afterprint", () => folded.forEach((details) => { details.open = false; }));

  follow(false);
  if (!single) document.title = baseTitle;
})();
