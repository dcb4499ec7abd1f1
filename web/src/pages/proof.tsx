/** The ledger proof of an operation, checked on this device, each step with its result, and what it does not prove. */

import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { receiptPath } from "../api/client";
import { dateTime, zone } from "../i18n/dates";
import { language, words } from "../i18n/index";
import type { Check, Report } from "../ledger/check";
import { fetchAndCheck, type ProofState } from "../ledger/fetch";
import { Shape } from "../ui/badges";

function CheckLine({ check }: { check: Check }) {
  const { proof } = words();
  return (
    <li data-check={check.name} data-result={check.result}>
      <span class="mark">
        <Shape name={check.result} />
        <span class="hidden">{proof.marks[check.result]}: </span>
      </span>
      <span>
        {proof.checks[check.name][check.result](check.facts)}
        {check.at && ` ${proof.cosignedAt(`${dateTime(language.value, check.at)} ${zone(check.at)}`)}`}
      </span>
    </li>
  );
}

function Technical({ report, logKey }: { report: Report; logKey: string }) {
  const { proof } = words();
  const hash = (name: Check["name"]) => report.checks.find((each) => each.name === name)?.facts.hash ?? "–";
  return (
    <details>
      <summary>{proof.technical}</summary>
      <dl class="facts">
        <dt>{proof.leaf}</dt>
        <dd class="code">{hash("leaf")}</dd>
        <dt>{proof.root}</dt>
        <dd class="code">{hash("checkpoint")}</dd>
        <dt>{proof.key}</dt>
        <dd class="code">{logKey}</dd>
      </dl>
    </details>
  );
}

function Limits({ report }: { report: Report }) {
  const { proof } = words();
  return (
    <div class="limits">
      <h3>{proof.limitsTitle}</h3>
      <ul>
        {report.witnesses === 0 && <li>{proof.noWitness}</li>}
        {proof.limits.map((limit) => (
          <li key={limit}>{limit}</li>
        ))}
      </ul>
    </div>
  );
}

function Checked({ report, logKey }: { report: Report; logKey: string }) {
  const { proof } = words();
  return (
    <>
      <p class="outcome" data-result={report.result} role="status">
        <Shape name={report.result} /> {proof.results[report.result]}
      </p>
      <ol class="checks">
        {report.checks.map((check, i) => (
          <CheckLine key={i} check={check} />
        ))}
      </ol>
      <Limits report={report} />
      <Technical report={report} logKey={logKey} />
    </>
  );
}

function Progress({ state }: { state: ProofState }) {
  const { proof } = words();
  const text =
    state.kind === "not_yet" ? proof.notYet : state.kind === "unavailable" ? proof.unavailable : proof.checking;
  return (
    <p class="outcome" data-result="unsure" role="status">
      {text}
    </p>
  );
}

export function ProofPanel({ operation, entry }: { operation: string; entry: number | null }) {
  const { proof } = words();
  const state = useSignal<ProofState>({ kind: "fetching" });
  const round = useSignal(0);
  useEffect(() => {
    if (entry === null) return;
    const stop = new AbortController();
    state.value = { kind: "fetching" };
    void fetchAndCheck({ operation, entry }, (next) => (state.value = next), stop.signal);
    return () => stop.abort();
  }, [operation, entry, round.value]);

  const now = state.value;
  return (
    <section class="panel proof" data-proof={now.kind === "checked" ? now.report.result : now.kind}>
      <h2>{proof.title}</h2>
      <p class="quiet small">{proof.lead}</p>
      {entry === null ? (
        <p>{proof.none}</p>
      ) : now.kind === "checked" ? (
        <Checked report={now.report} logKey={now.logKey} />
      ) : (
        <Progress state={now} />
      )}
      {entry !== null && (
        <div class="actions">
          <a class="button" href={receiptPath(operation)} download>
            {proof.receipt}
          </a>
          <button type="button" onClick={() => (round.value += 1)}>
            {proof.again}
          </button>
        </div>
      )}
    </section>
  );
}
