import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, CDPSession, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BASE, NARROW, WIDE, ask, enter, launch, visit } from "./world";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const FIRST_LOAD_BYTES_MAX = 100_000;

let browser: Browser;
let operation: string;
beforeAll(async () => {
  browser = await launch();
  operation = (await ask(20)).id;
});
afterAll(() => browser?.close());

interface AxeResult {
  violations: { id: string; nodes: { html: string; failureSummary: string }[] }[];
}

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const result = (await page.evaluate(
    "axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] })",
  )) as AxeResult;
  return result.violations.flatMap((each) => each.nodes.map((node) => `${each.id}: ${node.html} ${node.failureSummary}`));
}

const overflow = (page: Page) =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

/** The three pages, each ready to be looked at. */
const PAGES: Record<string, (page: Page) => Promise<void>> = {
  "sign-in": async (page) => {
    await page.goto(`${BASE}/console`);
    await page.waitForSelector("#token");
  },
  list: async (page) => {
    await enter(page);
    await page.locator("[data-id]").first().waitFor();
  },
  operation: async (page) => {
    await enter(page, `/console/operations/${operation}`);
    await page.waitForSelector("[data-proof=pass]", { timeout: 15_000 });
    await page.locator("details summary").click();
  },
};

const LOCALES = { en: "en-US", km: "km-KH", zh: "zh-CN" } as const;

/** Every language at both widths; colours do not depend on the language, so dark is looked at once for each width. */
const COMBINATIONS = [
  ...(["en", "km", "zh"] as const).flatMap((language) => [
    { language, colorScheme: "light", ...WIDE } as const,
    { language, colorScheme: "light", ...NARROW } as const,
  ]),
  { language: "en", colorScheme: "dark", ...WIDE } as const,
  { language: "km", colorScheme: "dark", ...NARROW } as const,
];

test.each(COMBINATIONS)(
  "in $language, $colorScheme, at $width pixels every page is accessible and fits",
  async ({ language, colorScheme, width, height }) => {
    const narrow = width < 600;
    const { page, context } = await visit(browser, {
      viewport: { width, height },
      colorScheme,
      locale: LOCALES[language],
      isMobile: narrow,
      hasTouch: narrow,
    });
    for (const [name, open] of Object.entries(PAGES)) {
      await open(page);
      expect(await page.evaluate(() => document.documentElement.lang)).toBe(language);
      expect(await overflow(page), `${name} scrolls sideways`).toBe(0);
      expect(await violations(page), name).toEqual([]);
      if (process.env["SIMWARDEN_SHOTS"]) {
        const path = `${process.env["SIMWARDEN_SHOTS"]}/${name}-${language}-${colorScheme}-${width}.png`;
        await page.screenshot({ path, fullPage: name !== "list" });
      }
    }
    await context.close();
  },
);

test("no width between a small phone and a wide screen scrolls sideways, in any language", async () => {
  for (const locale of Object.values(LOCALES)) {
    const { page, context } = await visit(browser, { locale });
    for (const name of ["list", "operation"]) {
      await PAGES[name]!(page);
      for (const width of [320, 600, 768, 961, 1100, 1216, 1345, 1920]) {
        await page.setViewportSize({ width, height: 800 });
        expect(await overflow(page), `${name}, ${locale}, ${width} pixels`).toBe(0);
      }
    }
    await context.close();
  }
});

test("the accessibility check itself finds what is wrong", async () => {
  const { page, context } = await visit(browser);
  await PAGES["sign-in"]!(page);
  await page.evaluate(() => {
    const image = document.createElement("img");
    image.src = "/icon.svg";
    document.querySelector("main")?.append(image);
  });
  expect((await violations(page)).join()).toContain("image-alt");
  await context.close();
});

interface PlatformFont {
  familyName: string;
  isCustomFont: boolean;
  glyphCount: number;
}

/** Every visible element that holds Khmer text of its own, with the fonts that it was really drawn in. */
async function drawnKhmer(page: Page, cdp: CDPSession): Promise<{ text: string; fonts: PlatformFont[] }[]> {
  await page.evaluate(() => {
    let n = 0;
    for (const each of document.querySelectorAll<HTMLElement>("body *:not(option, select, script)")) {
      const own = [...each.childNodes].some((node) => node instanceof Text && /[\u1780-\u17FF]/.test(node.data));
      if (own && each.checkVisibility()) each.dataset["khmer"] = String((n += 1));
    }
  });
  const { root } = await cdp.send("DOM.getDocument", { depth: -1 });
  const { nodeIds } = await cdp.send("DOM.querySelectorAll", { nodeId: root.nodeId, selector: "[data-khmer]" });
  const texts = await page.locator("[data-khmer]").evaluateAll((all) => all.map((each) => each.textContent ?? ""));
  const drawn = [];
  for (const [i, nodeId] of nodeIds.entries()) {
    const { fonts } = await cdp.send("CSS.getPlatformFontsForNode", { nodeId });
    drawn.push({ text: texts[i] ?? "", fonts: fonts as PlatformFont[] });
  }
  return drawn;
}

test.each(["list", "operation", "sign-in"])("no Khmer on the page %s is drawn as boxes: all of it comes from our own font", async (name) => {
  const { page, context } = await visit(browser, { locale: "km-KH" });
  const cdp = await context.newCDPSession(page);
  await PAGES[name]!(page);
  await page.evaluate(() => document.fonts.ready);
  await cdp.send("DOM.enable");
  await cdp.send("CSS.enable");
  const drawn = await drawnKhmer(page, cdp);
  expect(drawn.length).toBeGreaterThan(5);
  for (const { text, fonts } of drawn) {
    const own = fonts.filter((font) => font.isCustomFont && font.familyName.startsWith("Noto Sans Khmer"));
    expect(own.length, `${text}: ${JSON.stringify(fonts)}`).toBeGreaterThan(0);
    // A box is a glyph of a system font; those may stand only for what is not Khmer.
    const foreign = fonts.filter((font) => !font.isCustomFont).reduce((n, font) => n + font.glyphCount, 0);
    const notKhmer = text.replace(/[\u1780-\u17FF\u200B-\u200D]/g, "").length;
    expect(foreign, `${text}: ${JSON.stringify(fonts)}`).toBeLessThanOrEqual(notKhmer);
  }
  await context.close();
});

test("Chinese is drawn in a font that has it", async () => {
  const { page, context } = await visit(browser, { locale: "zh-CN" });
  const cdp = await context.newCDPSession(page);
  await PAGES["list"]!(page);
  await cdp.send("DOM.enable");
  await cdp.send("CSS.enable");
  const { root } = await cdp.send("DOM.getDocument", { depth: -1 });
  const fontsOf = async (selector: string) => {
    const { nodeId } = await cdp.send("DOM.querySelector", { nodeId: root.nodeId, selector });
    const { fonts } = await cdp.send("CSS.getPlatformFontsForNode", { nodeId });
    return fonts.map((font) => font.familyName);
  };
  // Boxes would be drawn in the font of the Latin text beside them.
  const [latin] = await fontsOf(".brand span");
  expect(await fontsOf("h1"), "is a Chinese font installed? (fonts-droid-fallback)").not.toContain(latin);
  await context.close();
});

test("the language is switched in place and remembered", async () => {
  const { page, context, complaints } = await visit(browser);
  await enter(page);
  await page.locator("h1", { hasText: "Operations" }).waitFor();
  await page.getByRole("button", { name: "中文" }).click();
  await page.locator("h1", { hasText: "操作" }).waitFor();
  await page.getByRole("button", { name: "ខ្មែរ" }).click();
  await page.locator("h1", { hasText: "ប្រតិបត្តិការ" }).waitFor();
  await page.reload();
  await page.locator("h1", { hasText: "ប្រតិបត្តិការ" }).waitFor();
  expect(await page.evaluate(() => document.documentElement.lang)).toBe("km");
  expect(complaints).toEqual([]);
  await context.close();
});

test("colours can be chosen against the system's, and are remembered", async () => {
  const { page, context } = await visit(browser, { colorScheme: "light" });
  const ground = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
  await enter(page);
  const light = await ground();
  await page.getByLabel("Colours").selectOption("dark");
  const dark = await ground();
  expect(dark).not.toBe(light);
  await page.reload();
  await page.waitForSelector("[data-connection=live]");
  expect(await ground()).toBe(dark);
  await context.close();
});

test("a first visit in Khmer loads at most 100 kB over the wire, fonts included", async () => {
  const { page, context } = await visit(browser, { locale: "km-KH" });
  const cdp = await context.newCDPSession(page);
  await cdp.send("Network.enable");
  const urls = new Map<string, string>();
  const sizes: Record<string, number> = {};
  cdp.on("Network.responseReceived", (event) => urls.set(event.requestId, event.response.url));
  cdp.on("Network.loadingFinished", (event) => {
    const path = new URL(urls.get(event.requestId) ?? BASE).pathname;
    if (!path.startsWith("/v1/")) sizes[path] = event.encodedDataLength;
  });
  await PAGES["list"]!(page);
  await page.evaluate(() => document.fonts.ready);
  const total = Object.values(sizes).reduce((sum, size) => sum + size, 0);
  expect(Object.keys(sizes).join(), "the font was loaded").toContain("noto-sans-khmer");
  expect(total, `the server should send the .br files beside the assets: ${JSON.stringify(sizes)}`).toBeLessThanOrEqual(
    FIRST_LOAD_BYTES_MAX,
  );
  await context.close();
});
