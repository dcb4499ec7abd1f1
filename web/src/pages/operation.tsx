/** One operation: what is asked, how it was decided and why, what happened, and the proof that it is on record. */

import { useEffect, useMemo } from "preact/hooks";
import { ApiError } from "../api/client";
import type { OperationDetail, OperationSummary, Step, TimelineItem } from "../api/types";
import { dateTime, timeLeft, when, zone } from "../i18n/dates";
import { language, reasonText, word, words } from "../i18n/index";
import { openDetail } from "../live/operation-detail";
import { StateBadge, VerdictBadge } from "../ui/badges";
import { now } from "../ui/now";
import { useTitle } from "../ui/title";
import { Trouble } from "../ui/trouble";
import { ProofPanel } from "./proof";

function full(at: string): string {
  const date = new Date(at);
  return `${dateTime(language.value, date)} ${zone(date)}`;
}

/** Non-breaking spaces and no wrap: a number cut in two is misread. */
function ask(op: OperationSummary): string {
  const { asks, operations } = words();
  const line = op.line.replaceAll(" ", "\u00A0");
  return Object.hasOwn(asks, op.operation)
    ? asks[op.operation as keyof typeof asks](line)
    : `${word(operations, op.operation)} ${line}`;
}

function Hold({ op }: { op: OperationDetail }) {
  const text = words().operation;
  if (op.hold_until === null) return null;
  const left = timeLeft(new Date(op.hold_until), now.value);
  if (left === null) return <p>{text.holdOver(full(op.hold_until))}</p>;
  const timeout = op.on_timeout && Object.hasOwn(text.onTimeout, op.on_timeout) ? op.on_timeout : null;
  return (
    <p>
      {text.held(full(op.hold_until), words().left(left.hours, left.minutes))}{" "}
      {timeout && text.onTimeout[timeout as keyof typeof text.onTimeout]}
    </p>
  );
}

function Decision({ op }: { op: OperationDetail }) {
  const { operation: text, channels, roles, claims, requirements, listed } = words();
  return (
    <header class="decision" data-verdict={op.verdict}>
      <h1>{ask(op)}</h1>
      <p class="quiet">
        {text.asked(word(channels, op.channel), word(roles, op.actor_role), full(op.requested_at))}{" "}
        {op.claim && text.claim(word(claims, op.claim))}
      </p>
      <div class="marks">
        <VerdictBadge verdict={op.verdict} />
        <StateBadge state={op.state} />
      </div>
      <Hold op={op} />
      {op.requirements.length > 0 && (
        <p>{text.needs(listed(op.requirements.map((each) => word(requirements, each))))}</p>
      )}
    </header>
  );
}

function Why({ op }: { op: OperationDetail }) {
  const { operation: text, list } = words();
  return (
    <section class="panel">
      <h2>{text.why}</h2>
      {op.reasons.length === 0 && <p>{list.noReasons}</p>}
      <ul class="why">
        {op.reasons.map((code) => (
          <li key={code}>
            {reasonText(code)}
            <span class="code quiet small block">{code}</span>
          </li>
        ))}
      </ul>
      <dl class="facts">
        <dt>{text.rules}</dt>
        <dd>
          {op.rules.length === 0 && "–"}
          {op.rules.map((rule) => (
            <span key={rule} class="code block">
              {rule}
            </span>
          ))}
        </dd>
        <dt>{text.policy}</dt>
        <dd class="code">{op.policy_hash}</dd>
      </dl>
    </section>
  );
}

function timelineText(item: TimelineItem): string {
  const { timeline } = words();
  const code = item.text_code ?? "";
  return Object.hasOwn(timeline, code) ? word(timeline, code) : word(timeline, item.kind);
}

function TimelineLine({ item }: { item: TimelineItem }) {
  const { operation: text, roles } = words();
  return (
    <li data-kind={item.kind} data-text={item.text_code ?? item.kind}>
      <time dateTime={item.at} title={full(item.at)}>
        {when(language.value, new Date(item.at), now.value)}
      </time>
      <div>
        <b>{timelineText(item)}</b>
        <span class="quiet small">
          {" "}
          {text.by(word(roles, item.actor_role))}
          {item.entry !== null && item.entry !== undefined && ` · ${text.entry(item.entry)}`}
        </span>
        {(item.reasons ?? []).map((code) => (
          <span key={code} class="block small">
            {reasonText(code)}
          </span>
        ))}
      </div>
    </li>
  );
}

function Timeline({ items }: { items: readonly TimelineItem[] }) {
  const { operation: text } = words();
  return (
    <section class="panel">
      <h2>{text.timeline}</h2>
      {items.length === 0 && <p class="quiet">{text.timelineEmpty}</p>}
      <ol class="timeline">
        {items.map((item, i) => (
          <TimelineLine key={i} item={item} />
        ))}
      </ol>
    </section>
  );
}

function Steps({ steps }: { steps: readonly Step[] }) {
  const { operation: text, steps: names, stepStates } = words();
  return (
    <section class="panel">
      <h2>{text.steps}</h2>
      {steps.length === 0 && <p class="quiet">{text.stepsEmpty}</p>}
      <ol class="steps">
        {steps.map((step) => (
          <li key={step.name} data-step={step.state}>
            <span class="dot" aria-hidden="true" />
            <span>{word(names, step.name)}</span>
            <span class="quiet small">
              {word(stepStates, step.state)}
              {step.at && ` · ${when(language.value, new Date(step.at), now.value)}`}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}

function Details({ op }: { op: OperationDetail }) {
  const { operation: text } = words();
  return (
    <section class="panel">
      <h2>{text.details}</h2>
      <dl class="facts">
        <dt>{text.identifier}</dt>
        <dd class="code">{op.id}</dd>
        <dt>{text.subject}</dt>
        <dd class="code">{op.subject}</dd>
        <dt>{text.operator}</dt>
        <dd class="code">{op.operator}</dd>
        <dt>{text.updated}</dt>
        <dd>{full(op.updated_at)}</dd>
      </dl>
    </section>
  );
}

export function OperationPage({ id }: { id: string }) {
  const text = words().operation;
  const detail = useMemo(() => openDetail(id), [id]);
  useEffect(() => () => detail.close(), [detail]);
  const state = detail.state.value;
  useTitle(state.kind === "ready" ? ask(state.value) : words().shell.operations);
  return (
    <>
      <p class="crumb">
        <a href="/console">← {text.back}</a>
      </p>
      {state.kind === "loading" && <p class="quiet blank">{text.loading}</p>}
      {state.kind === "failed" &&
        (state.cause instanceof ApiError && state.cause.status === 404 ? (
          <p class="blank">{text.notFound}</p>
        ) : (
          <Trouble cause={state.cause} retry={() => void detail.reload()} />
        ))}
      {state.kind === "ready" && (
        <article>
          <Decision op={state.value} />
          <div class="columns">
            <div>
              <Why op={state.value} />
              <Timeline items={state.value.timeline} />
              <Steps steps={state.value.steps} />
              <Details op={state.value} />
            </div>
            <div>
              <ProofPanel operation={id} entry={state.value.entry} />
            </div>
          </div>
        </article>
      )}
    </>
  );
}
