/**
 * Every word that the pages show, in one shape: a language that lacks a key does not compile.
 *
 * A sentence with values in it is a function of them, so that each language orders them as it likes. The texts of
 * reason codes are not here: they are shared with SMS and letters, in `content/<lang>/reasons.json`.
 */

import type {
  Channel,
  Claim,
  OperationKind,
  Role,
  State,
  StepName,
  StepState,
  TimelineKind,
  Verdict,
} from "../api/types";
import type { Check, CheckName } from "../ledger/check";

export const LANGUAGES = ["km", "en", "zh"] as const;
export type Language = (typeof LANGUAGES)[number];

/** Kinds of evidence that a decision may ask for, as far as the pages know them. */
export const REQUIREMENTS = [
  "passkey",
  "totp",
  "number_match",
  "old_device",
  "document",
  "face",
  "second_approver",
  "owner_approval",
  "call_back",
  "shop_visit",
] as const;
export type Requirement = (typeof REQUIREMENTS)[number];

/** Finer texts for timeline lines, by `text_code`. */
export const TIMELINE_TEXTS = ["decided_allow", "decided_step_up", "decided_hold", "decided_deny"] as const;
export type TimelineText = (typeof TIMELINE_TEXTS)[number];

/** The sentence for a check, by its result. */
export type CheckText = Record<Check["result"], (facts: Check["facts"]) => string>;

export interface Catalogue {
  /** The language in its own words. */
  language: string;
  shell: {
    skip: string;
    console: string;
    operations: string;
    languageLabel: string;
    signOut: string;
    signOutFailed: string;
    signedIn(role: string, operator: string | null): string;
    theme: string;
    themes: Record<"auto" | "light" | "dark", string>;
  };
  connection: {
    off: string;
    connecting: string;
    live: string;
    reconnecting: string;
    /** The list is older than it looks: `time` is when we last heard from the server. */
    lost(time: string): string;
    never: string;
  };
  signIn: {
    title: string;
    lead: string;
    token: string;
    hint: string;
    submit: string;
    working: string;
    empty: string;
    refused: string;
    limited: string;
    ended: string;
    passkey: string;
    passkeyHint: string;
    passkeyRefused: string;
    passkeyLocked: string;
    passkeyMissing: string;
    orToken: string;
    invitedTitle: string;
    invitedLead: string;
    deviceName: string;
    makePasskey: string;
    invitationOver: string;
    needName: string;
  };
  list: {
    title: string;
    lead: string;
    filter: string;
    all: string;
    pause: string;
    resume: string;
    pausedNote(waiting: number): string;
    pointedNote(waiting: number): string;
    shown(count: number): string;
    full(max: number): string;
    loading: string;
    empty: string;
    emptyState(state: string): string;
    summary: string;
    columns: Record<"when" | "line" | "operation" | "operator" | "verdict" | "state" | "reasons", string>;
    more(count: number): string;
    noReasons: string;
  };
  operation: {
    back: string;
    notFound: string;
    loading: string;
    asked(channel: string, role: string, when: string): string;
    claim(claim: string): string;
    held(until: string, left: string): string;
    holdOver(until: string): string;
    onTimeout: Record<"cancel" | "proceed", string>;
    needs(requirements: string): string;
    why: string;
    rules: string;
    policy: string;
    timeline: string;
    timelineEmpty: string;
    steps: string;
    stepsEmpty: string;
    details: string;
    identifier: string;
    subject: string;
    operator: string;
    updated: string;
    entry(index: number): string;
    by(role: string): string;
  };
  proof: {
    title: string;
    lead: string;
    checking: string;
    notYet: string;
    none: string;
    unavailable: string;
    again: string;
    receipt: string;
    results: Record<Check["result"], string>;
    marks: Record<Check["result"], string>;
    checks: Record<CheckName, CheckText>;
    cosignedAt(time: string): string;
    limitsTitle: string;
    limits: string[];
    noWitness: string;
    technical: string;
    leaf: string;
    root: string;
    key: string;
  };
  errors: {
    unreachable: string;
    forbidden: string;
    limited: string;
    server: string;
    other(title: string): string;
    request(id: string): string;
    retry: string;
  };
  left(hours: number, minutes: number): string;
  listed(items: readonly string[]): string;
  states: Record<State, string>;
  verdicts: Record<Verdict, string>;
  /** Short, for the list. */
  operations: Record<OperationKind, string>;
  /** What is asked, as a sentence about this line. */
  asks: Record<OperationKind, (line: string) => string>;
  channels: Record<Channel, string>;
  roles: Record<Role, string>;
  claims: Record<Claim, string>;
  requirements: Record<Requirement, string>;
  timeline: Record<TimelineKind | TimelineText, string>;
  steps: Record<StepName, string>;
  stepStates: Record<StepState, string>;
}
