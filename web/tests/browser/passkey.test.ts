/** Passkeys in a real Chromium with a virtual authenticator (Chrome DevTools Protocol, domain WebAuthn). */

import type { Browser, CDPSession, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { BASE, launch, visit } from "./world";

const invitation = (name: "STAFF" | "OWNER"): string => {
  const code = process.env[`SIMWARDEN_${name}_INVITATION`];
  if (!code) throw new Error(`SIMWARDEN_${name}_INVITATION is not set; see "Browser tests" in web/README.md`);
  return code;
};

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

interface Authenticator {
  session: CDPSession;
  authenticatorId: string;
}

/** A phone with a finger on its sensor. `backup` makes it one whose passkeys its maker's cloud copies. */
async function authenticator(page: Page, backup = false): Promise<Authenticator> {
  const session = await page.context().newCDPSession(page);
  await session.send("WebAuthn.enable");
  const { authenticatorId } = await session.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
      defaultBackupEligibility: backup,
      defaultBackupState: backup,
    },
  });
  return { session, authenticatorId };
}

const verified = ({ session, authenticatorId }: Authenticator, isUserVerified: boolean) =>
  session.send("WebAuthn.setUserVerified", { authenticatorId, isUserVerified });

async function signUp(page: Page, code: string): Promise<void> {
  await page.goto(`${BASE}/console#invitation=${encodeURIComponent(code)}`);
  await page.fill("#device", "my phone");
  await page.getByRole("button", { name: "Make the passkey" }).click();
}

/** A call as the page makes it. */
const call = (page: Page, method: string, path: string, body?: unknown) =>
  page.evaluate(
    async ([method, path, body]) => {
      const headers = { "content-type": "application/json", "x-simwarden": "1" };
      const answer = await fetch(path!, { method: method!, headers, ...(body ? { body } : {}) });
      const text = await answer.text();
      return { status: answer.status, body: text === "" ? null : JSON.parse(text) };
    },
    [method, path, body === undefined ? "" : JSON.stringify(body)],
  );

/** The answer of the passkey to a challenge, straight from the browser. */
const signed = (page: Page, options: unknown) =>
  page.evaluate(async (options) => {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options as PublicKeyCredentialRequestOptionsJSON);
    const credential = (await navigator.credentials.get({ publicKey })) as PublicKeyCredential;
    return credential.toJSON();
  }, (options as { publicKey: unknown }).publicKey);

test("staff sign up by invitation, sign out, and sign in with the passkey that stays in one device", async () => {
  const { page, context, complaints } = await visit(browser);
  const phone = await authenticator(page);
  await signUp(page, invitation("STAFF"));
  await page.waitForSelector("[data-connection=live]");
  expect(page.url()).toBe(`${BASE}/console`);
  const cookies = await context.cookies();
  expect(cookies.length).toBe(2);
  for (const cookie of cookies) expect([cookie.httpOnly, cookie.sameSite], cookie.name).toEqual([true, "Strict"]);
  expect(complaints).toEqual([]);

  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForSelector("[data-passkey]");
  expect((await call(page, "GET", "/v1/me")).status).toBe(401);

  // Without a finger on the sensor the browser itself refuses.
  await verified(phone, false);
  await page.click("[data-passkey]");
  await page.getByText("was not unlocked").waitFor();
  await verified(phone, true);
  await page.click("[data-passkey]");
  await page.waitForSelector("[data-connection=live]");

  const sessions = await call(page, "GET", "/v1/sessions");
  expect(sessions.body.sessions.length).toBe(1);
  expect(sessions.body.sessions[0].agent).toMatch(/Chrome/);
  const passkeys = await call(page, "GET", "/v1/passkeys");
  expect(passkeys.body.passkeys).toMatchObject([{ name: "my phone", synced: false }]);

  // The invitation is used up, and a second key in the same phone is refused by the browser.
  expect((await call(page, "POST", "/v1/sign-up/begin", { invitation: invitation("STAFF") })).status).toBe(401);

  // A challenge takes one answer.
  const begun = await call(page, "POST", "/v1/sign-in/begin");
  const credential = await signed(page, begun.body.options);
  const answer = { ceremony: begun.body.ceremony, credential };
  expect((await call(page, "POST", "/v1/sign-in/finish", answer)).status).toBe(200);
  const again = await call(page, "POST", "/v1/sign-in/finish", answer);
  expect([again.status, again.body.code]).toEqual([409, "challenge_over"]);
  expect((await call(page, "GET", "/v1/me")).status).toBe(200);
  await context.close();
});

test("an owner signs a move and a no with the passkey, and nothing else with the same signature", async () => {
  const { page, context } = await visit(browser);
  await authenticator(page, true);
  await signUp(page, invitation("OWNER"));
  await page.waitForSelector("[data-connection=live]");
  const passkeys = await call(page, "GET", "/v1/passkeys");
  expect(passkeys.body.passkeys).toMatchObject([{ synced: true }]);

  const numbers = (process.env["SIMWARDEN_LINES"] ?? "").split(",");
  const order = (operation: string, more: object) =>
    call(page, "POST", "/v1/operations", {
      operation,
      channel: "app",
      msisdn: numbers.at(-1),
      ...more,
    });
  const move = await order("replace", { claim: "upgrade", eid: "89049032123451234512345678901235" });
  expect(move.status, JSON.stringify(move.body)).toBe(201);
  const contact = await order("change_contact", { contact_phone: "+85511222333" });
  expect(contact.status, JSON.stringify(contact.body)).toBe(201);

  const begun = await call(page, "POST", `/v1/operations/${move.body.id}/signature`);
  const credential = await signed(page, begun.body.options);
  const evidence = { kind: "passkey", ceremony: begun.body.ceremony, credential };
  // What was signed is the move and not the other.
  const other = await call(page, "POST", `/v1/operations/${contact.body.id}/evidence`, evidence);
  expect([other.status, other.body.code]).toEqual([409, "challenge_over"]);
  const given = await call(page, "POST", `/v1/operations/${move.body.id}/evidence`, evidence);
  expect([given.status, given.body.outcome], JSON.stringify(given.body)).toEqual([200, "accepted"]);
  // The passkey is minutes old: it is on record and moves nothing.
  expect(["awaiting_evidence", "held"]).toContain(given.body.operation.state);

  await call(page, "POST", `/v1/operations/${move.body.id}/stop`);
  const stopped = await call(page, "GET", `/v1/operations/${move.body.id}`);
  expect(stopped.body.state).toBe("cancelled");
  await context.close();
});

test("on another name for the same server the browser offers no passkey of ours", async () => {
  const { page, context } = await visit(browser);
  await authenticator(page);
  await page.goto(`${BASE.replace("localhost", "127.0.0.1")}/console`);
  await page.click("[data-passkey]");
  await page.waitForFunction(() => document.querySelector("[data-passkey-trouble]")?.textContent?.trim() !== "");
  expect(await page.locator("[data-connection=live]").count()).toBe(0);
  await context.close();
});
