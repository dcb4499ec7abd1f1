/**
 * `make education`: makes `dist/education` from `content/`: lesson pages that need no script, printed matter as HTML and
 * as tagged PDF. Stops at the first thing in `content/` that is not in its form.
 */

import { copyFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import { indexPage, lessonPage, printed } from "./pages.js";
import { LANGUAGES, readContent } from "./source.js";

const HERE = dirname(fileURLToPath(import.meta.url));
export const ROOT = join(HERE, "../..");
export const OUT = join(ROOT, "dist/education");
/** What is printed: the document it is made of, and whether with its notes. */
export const PRINTED = [
  { pdf: "handbook", of: "handbook" },
  { pdf: "brochure", of: "brochure" },
  { pdf: "posters", of: "posters" },
  { pdf: "slides", of: "slides" },
  { pdf: "slides-notes", of: "slides", withNotes: true },
  { pdf: "staff", of: "staff" },
];
const SIZES = {
  handbook: ["148mm", "210mm"], brochure: ["148mm", "210mm"], posters: ["297mm", "420mm"],
  slides: ["254mm", "142.8mm"], "slides-notes": ["210mm", "297mm"], staff: ["210mm", "297mm"],
};
const FLAGS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** Longer than any busy machine needs; only a dead browser takes it. */
const PATIENCE_MS = 180_000;

export const launch = () =>
  chromium.launch({ executablePath: "/usr/bin/chromium", headless: true, chromiumSandbox: false, args: FLAGS, timeout: PATIENCE_MS });

/** A page that waits as long. */
export async function openPage(/** @type {import("playwright-core").Browser} */ browser, /** @type {import("playwright-core").BrowserContextOptions} */ options = {}) {
  const page = await (await browser.newContext(options)).newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  return page;
}

function writePages(/** @type {any} */ content) {
  for (const language of LANGUAGES) {
    const to = (/** @type {string} */ name) => join(OUT, language, name);
    mkdirSync(join(OUT, language), { recursive: true });
    writeFileSync(to("index.html"), indexPage(content, language));
    for (const slug of content.house.lessons) writeFileSync(to(`${slug}.html`), lessonPage(content, language, slug));
    for (const { pdf, of, withNotes } of PRINTED) writeFileSync(to(`${pdf}.html`), printed(content, language, of, withNotes));
  }
  mkdirSync(join(OUT, "fonts"), { recursive: true });
  const fonts = dirname(createRequire(import.meta.url).resolve("@fontsource/noto-sans-khmer/package.json"));
  for (const script of ["khmer", "latin"]) for (const weight of [400, 600]) {
    copyFileSync(join(fonts, `files/noto-sans-khmer-${script}-${weight}-normal.woff2`), join(OUT, `fonts/${script}-${weight}.woff2`));
  }
  for (const style of ["fonts.css", "lessons.css", "print.css"]) copyFileSync(join(HERE, style), join(OUT, style));
}

/** Prints every document; gives the pages whose text does not fit. */
async function writePdfs() {
  const browser = await launch();
  const tooLong = [];
  try {
    const page = await openPage(browser);
    for (const language of LANGUAGES) for (const { pdf } of PRINTED) {
      const [width = "", height = ""] = SIZES[/** @type {keyof typeof SIZES} */ (pdf)];
      await page.goto(pathToFileURL(join(OUT, language, `${pdf}.html`)).href);
      await page.emulateMedia({ media: "print" });
      await page.evaluate(() => document.fonts.ready);
      const over = await page.evaluate(() => [...document.querySelectorAll(".text")].flatMap((each, n) =>
        each.scrollHeight > each.clientHeight + 1 ? [`page ${n + 1} by ${each.scrollHeight - each.clientHeight} px`] : []));
      tooLong.push(...over.map((each) => `${language}/${pdf}: ${each}`));
      await page.pdf({ path: join(OUT, language, `${pdf}.pdf`), width, height, printBackground: true, tagged: true, outline: true, margin: { top: "0", bottom: "0", left: "0", right: "0" } });
    }
  } finally {
    await browser.close();
  }
  return tooLong;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const content = readContent(ROOT);
  if (content.findings.length > 0) {
    console.error([...content.findings].join("\n"));
    process.exit(1);
  }
  rmSync(OUT, { recursive: true, force: true });
  writePages(content);
  const tooLong = await writePdfs();
  if (tooLong.length > 0) {
    console.error(`text that does not fit its page:\n${tooLong.join("\n")}`);
    process.exit(1);
  }
  console.log(`education: ${LANGUAGES.length * (content.house.lessons.length + 1)} pages and ${LANGUAGES.length * PRINTED.length} PDFs in dist/education`);
}
