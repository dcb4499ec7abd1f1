/**
 * The running server, a real Chromium, and what every test expects of a page: no error in the console, nothing fetched
 * from elsewhere. Configured by the environment; see README.md.
 */

import { chromium, type Browser, type BrowserContext, type BrowserContextOptions, type Page } from "playwright-core";

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set; see "Browser tests" in web/README.md`);
  return value;
}

/** Where the server is, without a slash at the end. `localhost`, not an address: browsers treat it as secure. */
export const BASE = required("SIMWARDEN_URL").replace(/\/$/, "");
/** A token that may open the console. */
export const TOKEN = required("SIMWARDEN_TOKEN");
/** A token that may ask for operations; the console's, where that one may. */
const ACTOR_TOKEN = process.env["SIMWARDEN_ACTOR_TOKEN"] ?? TOKEN;
const LINES = required("SIMWARDEN_LINES")
  .split(",")
  .map((line) => line.trim())
  .filter((line) => line !== "");

export const WIDE = { width: 1440, height: 900 };
export const NARROW = { width: 360, height: 780 };

const FLAGS = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const launch = (): Promise<Browser> =>
  chromium.launch({ executablePath: "/usr/bin/chromium", headless: true, chromiumSandbox: false, args: FLAGS });

export interface Visit {
  page: Page;
  context: BrowserContext;
  /** Errors of console, script and content security policy, and requests to other origins, as they come. */
  complaints: string[];
}

/** A fresh browser profile with one empty page. */
export async function visit(browser: Browser, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({
    viewport: WIDE,
    locale: "en-US",
    timezoneId: "Asia/Phnom_Penh",
    reducedMotion: "reduce",
    ...options,
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    if (new URL(request.url()).origin !== new URL(BASE).origin) complaints.push(`went to ${request.url()}`);
  });
  return { page, context, complaints };
}

/** Opens an address below `/console` signed in, by the fragment that demo links carry. */
export async function enter(page: Page, path = "/console"): Promise<void> {
  await page.goto(`${BASE}${path}#token=${encodeURIComponent(TOKEN)}`);
  await page.waitForSelector("[data-connection=live]");
}

/** Asks for a replacement through the API, as an operator's own system would; gives the operation's id. */
export async function ask(lineNumber: number): Promise<{ id: string; line: string }> {
  const line = LINES[lineNumber % LINES.length]!;
  const response = await fetch(`${BASE}/v1/operations`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${ACTOR_TOKEN}`,
      "content-type": "application/json",
      "idempotency-key": crypto.randomUUID(),
    },
    body: JSON.stringify({
      operation: "replace",
      channel: "web",
      msisdn: line,
      claim: "upgrade",
      eid: "89049032123451234512345678901235",
    }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`POST /v1/operations answered ${response.status}: ${text}`);
  const { id } = JSON.parse(text) as { id: string };
  return { id, line };
}
