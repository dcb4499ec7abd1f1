import { execSync } from "node:child_process";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NARROW, ask, enter, launch, visit } from "./world";

const RESTART = process.env["SIMWARDEN_RESTART_CMD"];

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

test("an operation appears while one looks, on a wide screen and on a phone, with its verdict in words", async () => {
  const wide = await visit(browser);
  const narrow = await visit(browser, { viewport: NARROW, isMobile: true, hasTouch: true });
  await enter(wide.page);
  await enter(narrow.page);
  const { id, line } = await ask(0);
  for (const [{ page }, shape] of [
    [wide, "tr"],
    [narrow, "li"],
  ] as const) {
    const row = page.locator(`${shape}[data-id="${id}"]`);
    await row.waitFor({ timeout: 10_000 });
    const text = await row.innerText();
    expect(text).toContain("Replace eSIM");
    expect(text).toContain("•");
    expect(text, "the number is masked").not.toContain(line);
    expect(text).toMatch(/Allow|More evidence|Hold|Deny/);
  }
  expect([...wide.complaints, ...narrow.complaints]).toEqual([]);
  await wide.context.close();
  await narrow.context.close();
});

test("while paused nothing moves and the waiting are counted; resumed, they are there", async () => {
  const { page, context } = await visit(browser);
  await enter(page);
  await page.getByRole("button", { name: "Pause" }).click();
  const { id } = await ask(1);
  await page.getByText(/^Paused, \d+ waiting/).waitFor({ timeout: 10_000 });
  expect(await page.locator(`[data-id="${id}"]`).count()).toBe(0);
  await page.getByRole("button", { name: "Resume" }).click();
  await page.locator(`[data-id="${id}"]`).waitFor();
  await context.close();
});

test("a filter shows one state only, has its own address, and lets go of what leaves the state", async () => {
  const { page, context } = await visit(browser);
  await enter(page);
  await page.locator("tr[data-id]").first().waitFor();
  const state = (await page.locator("tr[data-id] .state").first().innerText()).trim();
  await page.locator(".chips").getByRole("link", { name: state, exact: true }).click();
  await page.locator("tr[data-id]").first().waitFor();
  expect(new URL(page.url()).searchParams.get("state")).toMatch(/^[a-z_]+$/);
  const states = await page.locator("tr[data-id] .state").allInnerTexts();
  expect(new Set(states.map((text) => text.trim()))).toEqual(new Set([state]));
  await page.goBack();
  expect(await page.locator(".chips [aria-current]").innerText()).toBe("All");
  await context.close();
});

test("a line that is lost is said to be lost, with the time, and comes back by itself without a gap", async () => {
  const { page, context } = await visit(browser);
  // The first stream ends after a moment; the next two attempts find nobody; then the server is back.
  let attempts = 0;
  await page.route("**/v1/stream*", async (route) => {
    attempts += 1;
    if (attempts === 1) return route.fulfill({ status: 200, contentType: "text/event-stream", body: ": hello\n\n" });
    if (attempts <= 3) return route.abort("connectionrefused");
    return route.continue();
  });
  await page.goto(`about:blank`);
  const entering = enter(page);
  await page.getByText("The connection is lost").waitFor();
  expect(await page.locator("[data-connection]").innerText()).toBe("Reconnecting");
  const { id } = await ask(2);
  await entering;
  await page.waitForSelector("[data-connection=live]");
  await page.locator(`[data-id="${id}"]`).waitFor({ timeout: 10_000 });
  expect(await page.getByText("The connection is lost").count()).toBe(0);
  expect(attempts).toBe(4);
  await context.close();
});

test("a reconnect resumes after the last event, and a refused resume loads anew", async () => {
  const { page, context } = await visit(browser);
  const resumed: (string | undefined)[] = [];
  const { id } = await ask(3);
  await page.route("**/v1/stream*", async (route) => {
    resumed.push(route.request().headers()["last-event-id"]);
    const bodies = ["id: 41\nevent: operation\ndata: {\"id\":\"x\"}\n\n", "event: reload\ndata: {}\n\n"];
    const body = bodies[resumed.length - 1];
    if (body === undefined) return route.continue();
    return route.fulfill({ status: 200, contentType: "text/event-stream", body });
  });
  const snapshots: string[] = [];
  page.on("request", (request) => {
    if (/\/v1\/operations\?/.test(request.url())) snapshots.push(request.url());
  });
  await enter(page);
  await expect.poll(() => resumed.length, { timeout: 15_000 }).toBe(3);
  expect(resumed).toEqual([undefined, "41", undefined]);
  await page.locator(`[data-id="${id}"]`).waitFor({ timeout: 10_000 });
  expect(snapshots.length).toBeGreaterThanOrEqual(3);
  await context.close();
});

test.skipIf(!RESTART)("after the server was restarted the page is live again and misses nothing", async () => {
  const { page, context } = await visit(browser);
  await enter(page);
  execSync(RESTART!, { stdio: "inherit" });
  const { id } = await ask(4);
  await page.locator(`[data-id="${id}"]`).waitFor({ timeout: 30_000 });
  await page.waitForSelector("[data-connection=live]", { timeout: 30_000 });
  await context.close();
});

test("by keyboard alone: past the header, into the list, into an operation, and back", async () => {
  const { page, context, complaints } = await visit(browser);
  await ask(5);
  await enter(page);
  await page.locator("tr[data-id]").first().waitFor();
  await page.keyboard.press("Tab");
  expect(await page.evaluate(() => document.activeElement?.className)).toBe("skip");
  await page.keyboard.press("Enter");
  expect(await page.evaluate(() => document.activeElement?.id)).toBe("content");
  for (let i = 0; i < 30; i += 1) {
    await page.keyboard.press("Tab");
    if (await page.evaluate(() => document.activeElement?.classList.contains("whole"))) break;
  }
  await page.keyboard.press("Enter");
  await page.locator(".decision h1").waitFor();
  expect(await page.evaluate(() => document.activeElement?.id)).toBe("content");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.locator("tr[data-id]").first().waitFor();
  expect(complaints).toEqual([]);
  await context.close();
});
