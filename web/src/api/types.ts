/**
 * The shapes that the server sends, as far as the pages read them.
 *
 * Enumerations are open: a server may be newer than the page. Every known word has its text in the catalogues; an
 * unknown word is shown as it came, never hidden.
 */

export const STATES = [
  "requested",
  "awaiting_evidence",
  "held",
  "approved",
  "executing",
  "completed",
  "denied",
  "cancelled",
  "frozen",
  "failed",
  "rolling_back",
  "rolled_back",
] as const;
export type State = (typeof STATES)[number];

export const VERDICTS = ["allow", "step_up", "hold", "deny"] as const;
export type Verdict = (typeof VERDICTS)[number];

export const OPERATIONS = [
  "register",
  "activate",
  "issue",
  "replace",
  "transfer_device",
  "transfer_owner",
  "change_contact",
  "set_forwarding",
  "lock",
  "unlock",
  "suspend",
  "resume",
  "port_out",
  "recycle",
  "delete",
] as const;
export type OperationKind = (typeof OPERATIONS)[number];

export const CHANNELS = ["shop", "owned_shop", "app", "web", "call", "ussd", "api", "regulator", "system"] as const;
export type Channel = (typeof CHANNELS)[number];

export const ROLES = [
  "subscriber",
  "agent",
  "supervisor",
  "fraud_analyst",
  "hotline",
  "regulator",
  "auditor",
  "feed",
  "admin",
  "system",
] as const;
export type Role = (typeof ROLES)[number];

export const CLAIMS = ["lost", "stolen", "broken", "upgrade"] as const;
export type Claim = (typeof CLAIMS)[number];

export const STEPS = ["order", "release", "install", "switch", "retire", "notify"] as const;
export type StepName = (typeof STEPS)[number];

export const STEP_STATES = ["pending", "running", "done", "undone", "failed"] as const;
export type StepState = (typeof STEP_STATES)[number];

export const TIMELINE_KINDS = [
  "requested",
  "decided",
  "evidence",
  "approval_sent",
  "approved",
  "denied",
  "vetoed",
  "cancelled",
  "timed_out",
  "step_started",
  "step_done",
  "step_failed",
  "frozen",
  "rolled_back",
  "notified",
] as const;
export type TimelineKind = (typeof TIMELINE_KINDS)[number];

/** A word of a known set, or one that a newer server has learnt since. */
export type Open<Known extends string> = Known | (string & {});

/** RFC 3339, UTC, with six decimals: sorts as text. */
export type Timestamp = string;

/** Who is signed in. `operator` is null for roles that see every operator. */
export interface Me {
  role: Open<Role>;
  operator: string | null;
  name: string;
}

/** One operation as the list and the stream carry it. */
export interface OperationSummary {
  id: string;
  operation: Open<OperationKind>;
  channel: Open<Channel>;
  actor_role: Open<Role>;
  /** MCC-MNC, as `456-91`. */
  operator: string;
  /** Random identifier of the subscription. */
  subject: string;
  /** The number, masked by the server. */
  line: string;
  state: Open<State>;
  verdict: Open<Verdict>;
  reasons: string[];
  requirements: string[];
  hold_until: Timestamp | null;
  requested_at: Timestamp;
  updated_at: Timestamp;
  /** Ledger index of the operation's last entry. */
  entry: number | null;
}

export interface TimelineItem {
  at: Timestamp;
  kind: Open<TimelineKind>;
  actor_role: Open<Role>;
  /** Finer than `kind` where the page has a text for it, such as `decided_hold`. */
  text_code?: string | null;
  reasons?: string[];
  entry: number | null;
}

export interface Step {
  name: Open<StepName>;
  state: Open<StepState>;
  at: Timestamp | null;
}

/** One operation with all that its page shows. */
export interface OperationDetail extends OperationSummary {
  claim: Open<Claim> | null;
  rules: string[];
  /** Hexadecimal SHA-256 of the policies that decided. */
  policy_hash: string;
  on_timeout: Open<"cancel" | "proceed"> | null;
  timeline: TimelineItem[];
  steps: Step[];
}

export interface OperationPage {
  operations: OperationSummary[];
  next: string | null;
}

/** What is needed to check that one ledger entry is in the log. All binary fields are base64. */
export interface LedgerProof {
  index: number;
  entry: string;
  /** Sibling hashes, 32 bytes each, from the leaf up. */
  hashes: string[];
  /** C2SP signed note whose text is a checkpoint. */
  checkpoint: string;
  log_vkey: string;
  witness_vkeys: string[];
  published: boolean;
}

/** RFC 9457 with our `code` and `request_id`. */
export interface Problem {
  title: string;
  status: number;
  detail?: string;
  code?: string;
  request_id?: string;
}
