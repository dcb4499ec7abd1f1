/**
 * Looks at what `make education` made, as its readers would: text of the PDFs, their fonts, tags and pages; the lesson
 * pages on a small phone, light and dark, with scripts off, for accessibility and for boxes instead of letters.
 */

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { OUT, PRINTED, ROOT, launch, openPage } from "./build.js";
import { LANGUAGES, readContent } from "./source.js";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const HANDBOOK_PAGES = 16;
const content = readContent(ROOT);
const findings = [...content.findings];
const run = (/** @type {string} */ program, /** @type {string[]} */ ...args) => execFileSync(program, args, { encoding: "utf8" });
/** Text without what lines and layout add: white space. */
const squeezed = (/** @type {string} */ text) => text.replace(/[\s\u200b]+/g, "");

/** Every text of a document's page as a reader sees it, one for each paragraph, heading and item. */
const textsOf = (/** @type {import("playwright-core").Page} */ page) =>
  page.evaluate(() => [...document.querySelectorAll("h1, h2, h3, p, li")].map((each) => each.textContent ?? ""));

async function pdfs(/** @type {import("playwright-core").Page} */ page) {
  for (const language of LANGUAGES) for (const { pdf } of PRINTED) {
    const file = join(OUT, language, `${pdf}.pdf`);
    const say = (/** @type {string} */ what) => findings.push(`${language}/${pdf}.pdf: ${what}`);
    const info = run("pdfinfo", file);
    if (!/^Tagged:\s+yes$/m.test(info)) say("is not tagged");
    await page.goto(pathToFileURL(join(OUT, language, `${pdf}.html`)).href);
    const pages = await page.locator(".page").count();
    const printedPages = Number(/^Pages:\s+(\d+)$/m.exec(info)?.[1]);
    if (printedPages !== pages) say(`has ${printedPages} pages, its source ${pages}`);
    if (pdf === "handbook" && printedPages !== HANDBOOK_PAGES) say(`has ${printedPages} pages, must have ${HANDBOOK_PAGES}`);
    const fonts = run("pdffonts", file).trim().split("\n").slice(2);
    if (fonts.length === 0) say("has no fonts");
    for (const font of fonts) if (!/\s(yes)\s+(yes|no)\s+(yes)\s+\d+\s+\d+$/.test(font)) say(`font not embedded, or without its letters: ${font}`);
    const text = squeezed(run("pdftotext", "-raw", file, "-"));
    if (text.includes("\ufffd")) say("holds a character that is none");
    for (const each of await textsOf(page)) if (!text.includes(squeezed(each))) say(`the text cannot be read out of it: ${each}`);
  }
}

/** The families in which the text of a page was really drawn, where they are not those of its script. */
async function boxes(/** @type {import("playwright-core").Page} */ page) {
  await page.evaluate(() => {
    let n = 0;
    // The triangle before a summary is no text, but would be counted as such.
    for (const each of document.querySelectorAll("summary")) each.style.listStyle = "none";
    for (const each of document.querySelectorAll("body *")) {
      if ([...each.childNodes].some((node) => node instanceof Text && node.data.trim() !== "")) each.setAttribute("data-text", String((n += 1)));
    }
  });
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("DOM.enable");
  await cdp.send("CSS.enable");
  const { root } = await cdp.send("DOM.getDocument", { depth: -1 });
  const { nodeIds } = await cdp.send("DOM.querySelectorAll", { nodeId: root.nodeId, selector: "[data-text]" });
  const texts = await page.locator("[data-text]").evaluateAll((all) => all.map((each) => each.textContent ?? ""));
  const found = [];
  for (const [n, nodeId] of nodeIds.entries()) {
    const text = texts[n] ?? "";
    const { fonts } = await cdp.send("CSS.getPlatformFontsForNode", { nodeId });
    const others = fonts.filter((font) => !font.isCustomFont);
    const foreign = others.reduce((sum, font) => sum + font.glyphCount, 0);
    if (/[\u1780-\u17ff]/.test(text) && foreign > text.replace(/[\u1780-\u17ff]/g, "").length) found.push(text);
    if (/[\u4e00-\u9fff]/.test(text) && !others.some((font) => /Droid|CJK|Hei|Song|Ming|Han/.test(font.familyName))) found.push(text);
  }
  await cdp.detach();
  return found;
}

async function lessons(/** @type {import("playwright-core").Browser} */ browser) {
  let seen = 0;
  for (const colorScheme of /** @type {const} */ (["light", "dark"])) {
    const page = await openPage(browser, { viewport: { width: 360, height: 780 }, colorScheme, isMobile: true, hasTouch: true });
    for (const language of LANGUAGES) for (const slug of ["index", ...content.house.lessons]) {
      const say = (/** @type {string} */ what) => findings.push(`${language}/${slug}.html, ${colorScheme}: ${what}`);
      await page.goto(pathToFileURL(join(OUT, language, `${slug}.html`)).href);
      if (await page.locator("script, [style], [onclick]").count()) say("holds a script or an inline style");
      if (slug !== "index" && (await page.locator(".card").count()) !== 5) say("does not show five cards");
      await page.evaluate(() => { for (const each of document.querySelectorAll("details")) { each.removeAttribute("name"); each.open = true; } });
      await page.evaluate(() => document.fonts.ready);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (over > 0) say(`scrolls sideways by ${over} px`);
      await page.evaluate(AXE);
      const axe = /** @type {any} */ (await page.evaluate("axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })"));
      for (const each of axe.violations) say(`${each.id}: ${each.nodes[0].html}`);
      if (colorScheme === "light") for (const text of await boxes(page)) say(`drawn as boxes: ${text}`);
      seen += 1;
    }
  }
  return seen;
}

/** A tap on a wrong answer must show the right one at once, with scripts switched off. */
async function answersWithoutScript(/** @type {import("playwright-core").Browser} */ browser) {
  const page = await openPage(browser, { javaScriptEnabled: false });
  await page.goto(pathToFileURL(join(OUT, "km", "signs.html")).href);
  const card = page.locator(".card").first();
  const why = card.locator(".wrong p").nth(1);
  if (await why.isVisible()) findings.push("km/signs.html: the answer is shown before it was asked for");
  await card.locator(".wrong summary").first().click();
  if (!(await why.isVisible())) findings.push("km/signs.html: a tap on an answer does not explain it");
}

const browser = await launch();
try {
  const page = await openPage(browser);
  await pdfs(page);
  const seen = await lessons(browser);
  await answersWithoutScript(browser);
  if (findings.length > 0) throw new Error(`education: ${findings.length} findings\n${findings.join("\n")}`);
  console.log(`education: ${LANGUAGES.length * PRINTED.length} PDFs read back, ${seen} views of lesson pages looked at: all well`);
} finally {
  await browser.close();
}
