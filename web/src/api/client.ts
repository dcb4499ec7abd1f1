/** Calls to the server: one function per endpoint. It knows HTTP and nothing of pages or words. */

import type { LedgerProof, Me, OperationDetail, OperationPage, Problem } from "./types";

/** The server answered, but not with success. */
export class ApiError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.title);
  }
  get status(): number {
    return this.problem.status;
  }
  get code(): string {
    return this.problem.code ?? "";
  }
}

/** No answer at all: the network or the server is down. */
export class Unreachable extends Error {}

const ANSWER_MS_MAX = 15_000;

async function call(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, {
      ...init,
      credentials: "same-origin",
      cache: "no-store",
      signal: init.signal ?? AbortSignal.timeout(ANSWER_MS_MAX),
    });
  } catch (cause) {
    throw new Unreachable("no answer from the server", { cause });
  }
  if (response.ok) return response;
  throw new ApiError(await problemOf(response));
}

async function problemOf(response: Response): Promise<Problem> {
  const bare: Problem = { title: response.statusText || `HTTP ${response.status}`, status: response.status };
  try {
    const body = (await response.json()) as Partial<Problem>;
    return { ...bare, ...body, status: response.status };
  } catch {
    return bare;
  }
}

async function json<T>(path: string): Promise<T> {
  const response = await call(path, { headers: { accept: "application/json" } });
  return (await response.json()) as T;
}

/** Writes by cookie need this header: a foreign page cannot send it. */
const OWN_WRITE = { "x-simwarden": "1" };

/** Trades a token for a session cookie that scripts cannot read. */
export async function signIn(token: string): Promise<void> {
  await call("/v1/session", {
    method: "POST",
    headers: { "content-type": "application/json", ...OWN_WRITE },
    body: JSON.stringify({ token }),
  });
}

export async function signOut(): Promise<void> {
  await call("/v1/session", { method: "DELETE", headers: OWN_WRITE });
}

interface Begun {
  ceremony: string;
  options: { publicKey: unknown };
}

/** A write by the page; answers the body, or nothing where there is none. */
async function write<T>(path: string, body?: unknown): Promise<T> {
  const sent = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await call(path, {
    method: "POST",
    headers: { "content-type": "application/json", ...OWN_WRITE },
    ...sent,
  });
  return (response.status === 204 ? undefined : await response.json()) as T;
}

/** Signs in with a passkey: a challenge from the server, its answer from the phone or key. */
export const beginSignIn = (): Promise<Begun> => write("/v1/sign-in/begin");
export const finishSignIn = (ceremony: string, credential: unknown): Promise<void> =>
  write("/v1/sign-in/finish", { ceremony, credential });

/** Enrols the passkey that an invitation is for. */
export const beginSignUp = (invitation: string): Promise<Begun> => write("/v1/sign-up/begin", { invitation });
export const finishSignUp = (ceremony: string, credential: unknown, name: string): Promise<void> =>
  write("/v1/sign-up/finish", { ceremony, credential, name });

export const me = (): Promise<Me> => json("/v1/me");

/** Newest first; `state` narrows it to one state. */
export function operations(query: { limit: number; before?: string; state?: string }): Promise<OperationPage> {
  const params = new URLSearchParams({ limit: String(query.limit) });
  if (query.before) params.set("before", query.before);
  if (query.state) params.set("state", query.state);
  return json(`/v1/operations?${params}`);
}

export const operation = (id: string): Promise<OperationDetail> => json(`/v1/operations/${encodeURIComponent(id)}`);

export const proof = (id: string, entry: number): Promise<LedgerProof> =>
  json(`/v1/operations/${encodeURIComponent(id)}/proof?entry=${entry}`);

export const receiptPath = (id: string): string => `/v1/operations/${encodeURIComponent(id)}/receipt`;
