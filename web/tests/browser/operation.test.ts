import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { LedgerProof } from "../../src/api/types";
import { BASE, ask, enter, launch, visit } from "./world";

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

const PROOF_MS_MAX = 15_000;

test("an operation's page tells what is asked, what happened and why, and verifies the proof", async () => {
  const { page, context, complaints } = await visit(browser);
  const { id, line } = await ask(10);
  await enter(page);
  await page.locator(`tr[data-id="${id}"] a`).click();
  await page.locator(".decision h1").waitFor();
  expect(new URL(page.url()).pathname).toBe(`/console/operations/${id}`);
  expect(await page.locator(".decision h1").innerText()).toMatch(/^Replace the eSIM of \+855•+\d+$/);
  expect(await page.content(), "the number is masked").not.toContain(line);
  expect(await page.locator(".decision").innerText()).toContain("a new phone");

  const kinds = await page.locator(".timeline li").evaluateAll((items) => items.map((each) => each.getAttribute("data-kind")));
  expect(kinds).toContain("requested");
  expect(kinds).toContain("decided");
  expect(await page.locator(".code").allInnerTexts()).toContain(id);

  await page.waitForSelector("[data-proof=pass]", { timeout: PROOF_MS_MAX });
  for (const name of ["entry", "leaf", "checkpoint", "inclusion", "signature"]) {
    expect(await page.locator(`[data-check=${name}]`).getAttribute("data-result"), name).toBe("pass");
  }
  expect(await page.locator(".limits li").count()).toBeGreaterThanOrEqual(3);
  await page.getByRole("button", { name: "Check again" }).click();
  await page.waitForSelector("[data-proof=pass]", { timeout: PROOF_MS_MAX });
  // Before the log has published, the 404 is part of the protocol; the browser writes it to the console nonetheless.
  expect(complaints.filter((each) => !/status of 404/.test(each))).toEqual([]);
  await context.close();
});

test("the receipt is downloaded, and is one", async () => {
  const { page, context } = await visit(browser);
  const { id } = await ask(11);
  await enter(page, `/console/operations/${id}`);
  await page.waitForSelector("[data-proof=pass]", { timeout: PROOF_MS_MAX });
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByText("Download receipt").click()]);
  const stream = await download.createReadStream();
  let text = "";
  for await (const chunk of stream) text += String(chunk);
  expect(text).toMatch(/^c2sp\.org\/tlog-proof@v1\n/);
  await context.close();
});

const flip = (text: string): string => {
  const bytes = Buffer.from(text, "base64");
  const last = bytes.length - 1;
  bytes[last] = bytes[last]! ^ 1;
  return bytes.toString("base64");
};

/** Stands between server and page, and changes the proof on its way. */
async function tamper(page: Page, change: (proof: LedgerProof) => LedgerProof): Promise<void> {
  await page.route("**/v1/operations/*/proof?*", async (route) => {
    const response = await route.fetch();
    if (!response.ok()) return route.fulfill({ response });
    return route.fulfill({ response, json: change((await response.json()) as LedgerProof) });
  });
}

test.each<[string, string, (proof: LedgerProof) => LedgerProof]>([
  ["the entry", "inclusion", (proof) => ({ ...proof, entry: flip(proof.entry) })],
  ["a hash of the path", "inclusion", (proof) => ({ ...proof, hashes: [flip(proof.hashes[0]!), ...proof.hashes.slice(1)] })],
  [
    "the log's signature",
    "signature",
    (proof) => {
      const line = new RegExp(`^(— ${proof.log_vkey.split("+")[0]} )(.+)$`, "m");
      return { ...proof, checkpoint: proof.checkpoint.replace(line, (_, head: string, sig: string) => head + flip(sig)) };
    },
  ],
  ["the entry number", "entry", (proof) => ({ ...proof, index: proof.index - 1 })],
])("a byte flipped in %s is found, named, and nothing is called verified", async (_, failing, change) => {
  const { page, context } = await visit(browser);
  // Two operations, so that the path is never empty.
  await ask(12);
  const { id } = await ask(13);
  await tamper(page, change);
  await enter(page, `/console/operations/${id}`);
  await page.waitForSelector("[data-proof=fail]", { timeout: PROOF_MS_MAX });
  expect(await page.locator(`[data-check=${failing}]`).getAttribute("data-result")).toBe("fail");
  expect(await page.locator(".outcome").innerText()).toContain("does not hold");
  expect(await page.getByText("The record is in the signed log").count()).toBe(0);
  await context.close();
});

test("an unknown operation is said to be unknown", async () => {
  const { page, context } = await visit(browser);
  await enter(page, "/console/operations/00000000-0000-4000-8000-000000000000");
  await page.getByText("There is no such operation").waitFor();
  await page.getByText("All operations").click();
  await page.locator("h1", { hasText: "Operations" }).waitFor();
  expect(page.url()).toBe(`${BASE}/console`);
  await context.close();
});
