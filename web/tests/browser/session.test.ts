import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BASE, TOKEN, enter, launch, visit } from "./world";

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

test("a demo link signs in, and the token leaves the address before anything else happens", async () => {
  const { page, context, complaints } = await visit(browser);
  await enter(page);
  expect(page.url()).toBe(`${BASE}/console`);
  await page.goBack();
  expect(page.url()).not.toContain("token");
  const cookies = await context.cookies();
  expect(cookies.length).toBeGreaterThan(0);
  for (const cookie of cookies) expect([cookie.httpOnly, cookie.sameSite], cookie.name).toEqual([true, "Strict"]);
  expect(complaints).toEqual([]);
  await context.close();
});

test("a pasted token signs in, is kept nowhere in the browser, and signing out ends it", async () => {
  const { page, context } = await visit(browser);
  await page.goto(`${BASE}/console`);
  await page.fill("#token", TOKEN);
  await page.keyboard.press("Enter");
  await page.waitForSelector("[data-connection=live]");
  expect(await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }]))).not.toContain(TOKEN);

  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForSelector("#token");
  await page.reload();
  await page.waitForSelector("#token");
  expect(await page.evaluate(() => fetch("/v1/me").then((answer) => answer.status))).toBe(401);
  await context.close();
});

test("a wrong token is refused in words, and the page it was meant for opens after the right one", async () => {
  const { page, context } = await visit(browser);
  await page.goto(`${BASE}/console?state=held#token=wrong`);
  await page.getByText("not valid, or has expired").waitFor();
  expect(page.url()).toBe(`${BASE}/console?state=held`);
  await page.fill("#token", TOKEN);
  await page.keyboard.press("Enter");
  await page.waitForSelector("[data-connection=live]");
  expect(await page.locator(".chips [aria-current]").innerText()).toBe("Held");
  await context.close();
});

test("a demo link opened in a tab of ours signs in too", async () => {
  const { page, context } = await visit(browser);
  await page.goto(`${BASE}/console`);
  await page.waitForSelector("#token");
  await page.evaluate((token) => location.assign(`#token=${encodeURIComponent(token)}`), TOKEN);
  await page.waitForSelector("[data-connection=live]");
  expect(page.url()).not.toContain("token");
  await context.close();
});

test("an empty token is not sent", async () => {
  const { page, context } = await visit(browser);
  await page.goto(`${BASE}/console`);
  await page.waitForSelector("#token");
  const sent: string[] = [];
  page.on("request", (request) => sent.push(request.url()));
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByText("Paste your token first").waitFor();
  expect(sent).toEqual([]);
  await context.close();
});

test("a session that the server ends leads to the sign-in page, with the reason", async () => {
  const { page, context } = await visit(browser);
  let streams = 0;
  await page.route("**/v1/stream*", (route) => {
    streams += 1;
    return streams === 1
      ? route.fulfill({ status: 200, contentType: "text/event-stream", body: ": hello\n\n" })
      : route.fulfill({ status: 401, body: "" });
  });
  await page.goto(`${BASE}/console#token=${encodeURIComponent(TOKEN)}`);
  await page.getByText("Your session has ended").waitFor();
  expect(await page.locator("[data-id]").count()).toBe(0);
  await context.close();
});

test("signing out that the server does not confirm is not shown as done", async () => {
  const { page, context } = await visit(browser);
  await enter(page);
  await page.route("**/v1/session", (route) => route.fulfill({ status: 503, body: "" }));
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByText("You are still signed in").waitFor();
  expect(await page.locator("[data-connection=live]").count()).toBe(1);
  await context.close();
});

test("the server sends the strict content security policy, and the page has nothing inline", async () => {
  const response = await fetch(`${BASE}/console`);
  const policy = response.headers.get("content-security-policy") ?? "";
  for (const part of [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
  ]) {
    expect(policy).toContain(part);
  }
  expect(policy).not.toContain("unsafe");
  const html = await response.text();
  expect(html).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son[a-z]+=/i);
});
