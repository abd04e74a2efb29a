// Opens a report from disk in a real browser and checks what a reader depends on: nothing is fetched, nothing fails, every
// link leads somewhere, axe finds nothing, nothing sticks out at 360 px, the keyboard is enough, it sounds, it prints.
//
//   node check.mjs REPORT_FOLDER [--quick] [--sound] [--pictures FOLDER --name NAME]
//
// --quick: one page of each kind instead of all; --sound: some call must have a clip that plays.
// Prints one line per finding and ends with 1 when there is any; 3 when the browser cannot be started.
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { chromium } from "playwright-core";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: "boolean", default: false },
    sound: { type: "boolean", default: false },
    pictures: { type: "string" },
    name: { type: "string", default: "report" },
  },
});
if (positionals.length !== 1) {
  console.error("usage: node check.mjs REPORT_FOLDER [--quick] [--sound] [--pictures FOLDER --name NAME]");
  process.exit(3);
}
const start = join(resolve(positionals[0]), "report.html");
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const AXE_OPTIONS = {
  runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"],
  resultTypes: ["violations"],
  // It would fetch the style sheets again.
  preload: false,
  // Experimental: it takes the title of an SVG mark for visible text.
  rules: { "label-content-name-mismatch": { enabled: false } },
};
const MOST_LOAD_MS = 2000;
const KINDS = ["team", "reps", "calls", "lists", "indicators"];
const WIDTHS = [1280, 360];
const SCHEMES = ["light", "dark"];
/** So many pages of a kind are looked for in a quick run. */
const QUICK_PAGES = 30;
const WINDOW_HEIGHT = { 1280: 900, 360: 740 };
/** A picture shows more than a window, but not the end of a long table. */
const PICTURE_HEIGHT = { 1280: 1500, 360: 1300 };
/** The text width of A4 with margins of 14 mm, in CSS pixels. */
const A4_TEXT_WIDTH = Math.round(((210 - 2 * 14) / 25.4) * 96);
/** Chromium shrinks a sheet that something is too wide for (by a third at most): below 4/5 it is no longer easy to read. */
const MOST_SHRINKING = 1.25;

/** What was found → where it was seen. Each is told once, where it was seen first. */
const findings = new Map();
const finding = (where, what) => {
  if (!findings.has(what)) {
    findings.set(what, []);
    console.log(`FOUND ${where}: ${what}`);
  }
  findings.get(what).push(where);
};

let browser;
try {
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    chromiumSandbox: process.getuid() !== 0,
    // A closed network: nothing of the browser's own may wait for it. Sound needs no loudspeaker.
    args: [
      "--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run", "--disable-quic",
      "--disable-gpu", "--autoplay-policy=user-gesture-required", "--mute-audio",
    ],
  });
} catch (error) {
  console.error(`cannot start Chromium: ${error.message}\nhint: scripts/setup-tests installs it; CHROMIUM names another one`);
  process.exit(3);
}

/** A window in which every error and every request that leaves the disk is a finding. */
async function open(width, scheme) {
  const context = await browser.newContext({
    viewport: { width, height: WINDOW_HEIGHT[width] },
    colorScheme: scheme,
    reducedMotion: "reduce",
    hasTouch: width === 360,
  });
  const page = await context.newPage();
  const where = () => `${options.name} ${width} ${scheme} ${shortName(page.url())}`;
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) finding(where(), `console: ${message.text()}`);
  });
  page.on("pageerror", (error) => finding(where(), `script: ${error.message}`));
  page.on("requestfailed", (request) => {
    // Chromium stops loading media that is no longer needed.
    if (request.failure()?.errorText !== "net::ERR_ABORTED") finding(where(), `not loaded: ${request.url().slice(0, 120)}`);
  });
  page.on("request", (request) => {
    if (!/^(file|data|blob):/.test(request.url())) finding(where(), `leaves the disk: ${request.url().slice(0, 120)}`);
  });
  return { context, page, where };
}

function shortName(url) {
  const [path, hash] = url.split("#");
  return path.startsWith("file:") ? path.slice(pathToFileURL(dirname(start)).href.length + 1) + (hash ? `#${hash}` : "") : path;
}

/** The pages of the report: kind, address, whether it has flags that sound. One-file reports have their pages as sections. */
async function pagesOf(page) {
  const top = pathToFileURL(start).href;
  await page.goto(top);
  const kindOf = (id) => KINDS.find((kind) => id === kind || id.startsWith(`${kind}-`)) ?? id;
  if ((await page.evaluate(() => document.body.dataset.layout)) === "single") {
    const sections = await page.$$eval(".page", (all) => all.map((one) => ({ id: one.id, sound: one.querySelector(".clip audio") !== null && one.querySelector("tr.row[data-flag]") !== null })));
    return sections.map(({ id, sound }) => ({ kind: kindOf(id), url: `${top}#${id}`, sound }));
  }
  const seen = new Map([[top, "team"]]);
  const found = [];
  for (const [url, kind] of seen) {
    await page.goto(url);
    found.push({ kind, url, sound: (await page.locator(".clip audio").count()) > 0 && (await page.locator("tr.row[data-flag]").count()) > 0 });
    const targets = await page.$$eval("a[href]", (links) => links.map((link) => new URL(link.getAttribute("href"), link.baseURI).href.split("#")[0]));
    for (const target of targets) {
      const next = /\/report\/(\w+)\/[^/]+\.html$/.exec(target)?.[1];
      const enough = options.quick && [...seen.values()].filter((one) => one === next).length >= QUICK_PAGES;
      if (next && !enough && !seen.has(target)) seen.set(target, next);
    }
  }
  return found;
}

/** The first page of a kind; of the calls one with sound if there is one. */
const example = (pages, kind) => pages.find((page) => page.kind === kind && page.sound) ?? pages.find((page) => page.kind === kind);

/** Loads a page afresh; how long until it can be read. */
async function visit(page, url) {
  await page.goto("about:blank");
  await page.goto(url, { waitUntil: "load" });
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  return page.evaluate(() => Math.round(performance.getEntriesByType("navigation")[0].loadEventEnd));
}

async function checkPage(page, where) {
  const faults = await page.evaluate(() => {
    const found = [];
    const root = document.documentElement;
    if (root.scrollWidth > root.clientWidth) {
      const widest = [...document.querySelectorAll("main *")].filter((element) => element.checkVisibility() && element.getBoundingClientRect().right > root.clientWidth + 1 && !element.closest("[class*=scroll], .side"));
      found.push(`is ${root.scrollWidth} px wide in ${root.clientWidth}: ${widest.slice(0, 3).map((e) => `${e.localName}.${e.className}`).join(", ")}`);
    }
    for (const link of document.querySelectorAll('a[href^="#"]')) {
      const id = decodeURIComponent(link.getAttribute("href").slice(1));
      if (id && !document.getElementById(id)) found.push(`link to ${link.getAttribute("href")} leads nowhere`);
    }
    const ids = [...document.querySelectorAll("[id]")].map((element) => element.id);
    for (const id of new Set(ids.filter((id, index) => ids.indexOf(id) !== index))) found.push(`id ${id} is there twice`);
    if (!root.lang) found.push("no lang");
    if (!document.title) found.push("no title");
    return found;
  });
  for (const fault of [...new Set(faults)].slice(0, 10)) finding(where(), fault);
  // Links to other files, once each.
  const files = await page.$$eval("a[href], link[href], script[src], audio[src], img[src]", (elements) =>
    elements.map((element) => new URL(element.getAttribute("href") ?? element.getAttribute("src"), element.baseURI).href));
  for (const url of new Set(files.filter((url) => url.startsWith("file:")).map((url) => url.split("#")[0]))) {
    if (!existsSync(fileURLToPath(url))) finding(where(), `${shortName(url)} is not there`);
  }
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axeSource);
  const result = await page.evaluate((options) => window.axe.run({ exclude: [".page:not(.shown)"] }, options), AXE_OPTIONS);
  for (const violation of result.violations) {
    const nodes = violation.nodes.slice(0, 3).map((node) => node.target.join(" "));
    finding(where(), `axe ${violation.id} (${violation.impact}), ${violation.nodes.length}×: ${violation.help}; ${nodes.join(" | ")}`);
  }
}

/** What a printer gets: nothing cut at the right edge, everything unfolded, rows whole. */
async function checkPrint(page, where) {
  await page.emulateMedia({ media: "print" });
  const viewport = page.viewportSize();
  await page.setViewportSize({ width: A4_TEXT_WIDTH, height: 1000 });
  const faults = await page.evaluate((mostShrinking) => {
    const found = [];
    dispatchEvent(new Event("beforeprint"));
    const root = document.documentElement;
    const visible = (element) => element.checkVisibility();
    const most = root.clientWidth * mostShrinking;
    for (const element of [...document.querySelectorAll("table, svg")].filter(visible)) {
      const right = Math.ceil(element.getBoundingClientRect().right);
      const name = element.getAttribute("class") ?? element.closest("[class]")?.getAttribute("class");
      if (right > most) found.push(`${element.localName} ${name} is ${right} px wide, a sheet ${root.clientWidth}: it is cut, or too small to read`);
    }
    if ([...document.querySelectorAll(".player")].some(visible)) found.push("the player is printed");
    if ([...document.querySelectorAll("details")].filter(visible).some((details) => !details.open)) found.push("something stays folded");
    if ([...document.querySelectorAll("tr")].filter(visible).some((row) => getComputedStyle(row).breakInside !== "avoid")) found.push("rows may be torn apart");
    const channels = (colour) => colour.match(/\d+(\.\d+)?/g).map(Number);
    const paper = channels(getComputedStyle(root).backgroundColor);
    if (paper[3] !== 0 && paper.slice(0, 3).some((value) => value < 250)) found.push("the paper is not white");
    const pale = [...document.querySelectorAll("h1, h2, p, td, th, a, span")].filter(visible).find((element) => element.textContent.trim() && channels(getComputedStyle(element).color).slice(0, 3).every((value) => value > 140) && channels(getComputedStyle(element).backgroundColor).length === 4);
    if (pale) found.push(`text is too pale on paper: ${pale.localName}.${pale.className} "${getComputedStyle(pale).color}"`);
    dispatchEvent(new Event("afterprint"));
    return found;
  }, MOST_SHRINKING);
  for (const fault of faults.slice(0, 6)) finding(where(), `printed: ${fault}`);
  await page.setViewportSize(viewport);
  await page.emulateMedia({ media: null });
  const pdf = await page.pdf({ format: "A4", printBackground: true, preferCSSPageSize: true });
  const sheets = pdf.toString("latin1").match(/\/Type\s*\/Page\b/g)?.length ?? 0;
  if (sheets === 0 || pdf.length < 5000) finding(where(), `printed: ${sheets} sheets in ${pdf.length} bytes`);
  return sheets;
}

/** From the team's page to a sounding call with Tab, Enter, j, k, space and ? only. */
async function checkKeyboard() {
  const { context, page, where } = await open(1280, "light");
  const focused = () => page.evaluate(() => {
    const element = document.activeElement;
    const style = getComputedStyle(element);
    const ring = element === document.body || (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || element.matches("[tabindex='-1']");
    const href = element.getAttribute("href");
    return { href: href ? new URL(href, element.baseURI).href : "", ring, label: `${element.localName}.${element.getAttribute("class") ?? ""}` };
  });
  /** Presses Tab until a link that `wanted` accepts has the focus. */
  const tabTo = async (wanted, what) => {
    const pale = new Set();
    for (let n = 0; n < 400; n++) {
      await page.keyboard.press("Tab");
      const at = await focused();
      if (!at.ring) pale.add(at.label);
      if (wanted(at.href)) {
        for (const label of pale) finding(where(), `focus cannot be seen on ${label}`);
        return at.href;
      }
    }
    finding(where(), `no ${what} within 400 steps of Tab`);
    return undefined;
  };
  const link = (kind) => (href) => new RegExp(`(#${kind}-[^.]*$|/${kind}/[^/#]+\\.html(#top)?$)`).test(href);
  const sounding = pages.find((one) => one.kind === "calls" && one.sound);
  if (options.sound && !sounding) finding(where(), "no call can be heard");
  await visit(page, pathToFileURL(start).href);
  if (await tabTo(link("reps"), "link to a rep")) {
    await page.keyboard.press("Enter");
    await page.waitForURL((url) => link("reps")(url.href), { timeout: 5000 });
    if (await tabTo(link("calls"), "link to a call")) {
      await page.keyboard.press("Enter");
      await page.waitForURL((url) => link("calls")(url.href), { timeout: 5000 });
    }
  }
  if (sounding) {
    await visit(page, sounding.url);
    const flag = () => page.evaluate(() => [...document.querySelectorAll("tr.row.current")].find((row) => row.checkVisibility())?.id);
    await page.keyboard.press("j");
    const first = await flag();
    await page.keyboard.press("j");
    const second = await flag();
    await page.keyboard.press("k");
    const again = await flag();
    const flags = await page.evaluate(() => [...document.querySelectorAll("tr.row[data-flag]")].filter((row) => row.checkVisibility()).length);
    if (!first || first !== again || (flags > 1 && first === second)) finding(where(), `j and k go to ${first}, ${second}, ${again}`);
    // The first flag with a clip; a flag may lie outside all clips.
    const sound = () => page.evaluate(() => {
      const audio = [...document.querySelectorAll("audio")].find((candidate) => !candidate.paused || candidate.currentTime > 0);
      return audio && { time: audio.currentTime, paused: audio.paused, error: audio.error?.message ?? null, duration: audio.duration };
    });
    let heard;
    for (let n = 0; n < flags && !heard; n++) {
      await page.keyboard.press(" ");
      await page.waitForTimeout(600);
      const before = await sound();
      await page.waitForTimeout(600);
      const after = await sound();
      if (before && after && after.time > before.time && !after.error) heard = after;
      else await page.keyboard.press("j");
    }
    if (!heard) finding(where(), `space plays nothing: ${JSON.stringify(await sound())}`);
    else {
      await page.keyboard.press(" ");
      await page.waitForTimeout(200);
      if (!(await sound()).paused) finding(where(), "space does not stop the sound");
    }
    await checkSounds(page, where);
  }
  await page.keyboard.press("?");
  if (!(await page.evaluate(() => [...document.querySelectorAll("dialog[open]")].some((dialog) => dialog.checkVisibility())))) finding(where(), "? does not open the list of keys");
  await page.keyboard.press("Escape");
  if (await page.evaluate(() => document.querySelector("dialog[open]") !== null)) finding(where(), "Escape does not close the list of keys");
  await context.close();
}

/** Every clip of the page can be decoded and is as long as it says. */
async function checkSounds(page, where) {
  const faults = await page.evaluate(async () => {
    const found = [];
    const clips = [...document.querySelectorAll(".clip")].filter((clip) => clip.closest(".page").checkVisibility());
    for (const clip of clips) {
      const said = (clip.dataset.end - clip.dataset.begin) / 1000;
      const probe = new Audio(clip.querySelector("audio").src);
      probe.preload = "auto";
      const outcome = await new Promise((done) => {
        probe.oncanplaythrough = () => done(null);
        probe.onerror = () => done(probe.error.message || `error ${probe.error.code}`);
        setTimeout(() => done("does not load within 5 s"), 5000);
      });
      if (outcome) found.push(`clip at ${clip.dataset.begin} ms: ${outcome}`);
      else if (Math.abs(probe.duration - said) > 0.03) found.push(`clip at ${clip.dataset.begin} ms lasts ${probe.duration} s, not ${said} s`);
    }
    return found;
  });
  for (const fault of faults) finding(where(), fault);
}

const times = { slowest: 0, slowestUrl: "", sheets: 0 };
const scout = await open(1280, "light");
const pages = await pagesOf(scout.page);
await scout.context.close();
for (const kind of ["team", "reps", "calls"]) if (!example(pages, kind)) finding(options.name, `no page of kind ${kind}`);
const examples = KINDS.map((kind) => example(pages, kind)).filter(Boolean);
const visited = options.quick ? examples : pages;
if (options.pictures) mkdirSync(options.pictures, { recursive: true });
for (const width of WIDTHS) {
  for (const scheme of SCHEMES) {
    const { context, page, where } = await open(width, scheme);
    // Examples in every window and on paper; all other pages in two windows, where every width and scheme comes once.
    const thorough = (width === 1280) === (scheme === "light");
    for (const one of thorough ? visited : examples) {
      let took = await visit(page, one.url);
      // A busy machine is no fault of the page.
      for (let again = 0; again < 2 && took > MOST_LOAD_MS; again++) took = Math.min(took, await visit(page, one.url));
      if (took > times.slowest) Object.assign(times, { slowest: took, slowestUrl: shortName(one.url) });
      if (took > MOST_LOAD_MS) finding(where(), `takes ${took} ms to load`);
      await checkPage(page, where);
      if (width === 1280 && examples.includes(one)) times.sheets += await checkPrint(page, where);
      if (options.pictures && examples.includes(one)) {
        const height = await page.evaluate(() => document.documentElement.scrollHeight);
        await page.setViewportSize({ width, height: Math.min(height, PICTURE_HEIGHT[width]) });
        await page.evaluate(() => scrollTo(0, 0));
        await page.screenshot({ path: join(options.pictures, `${options.name}-${one.kind}-${width}-${scheme}.png`) });
        await page.setViewportSize({ width, height: WINDOW_HEIGHT[width] });
      }
    }
    await context.close();
  }
}
await checkKeyboard();
await browser.close();
console.log(
  `${options.name}: ${pages.length} pages, ${visited.length} visited in ${WIDTHS.length * SCHEMES.length} windows; slowest load ${times.slowest} ms (${times.slowestUrl}); ` +
    `${times.sheets} sheets printed; ${findings.size} findings`,
);
for (const [what, seen] of findings) if (seen.length > 1) console.log(`  ${seen.length} times: ${what}`);
process.exit(findings.size > 0 ? 1 : 0);
