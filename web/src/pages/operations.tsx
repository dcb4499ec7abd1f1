/** The live list: every operation as it is decided, a table where there is room and cards where there is not. */

import { Component } from "preact";
import { useEffect } from "preact/hooks";
import { signal } from "@preact/signals";
import { STATES, VERDICTS, type OperationSummary } from "../api/types";
import { dateTime, when, zone } from "../i18n/dates";
import { language, reasonText, word, words } from "../i18n/index";
import * as list from "../live/operation-list";
import { Shape, StateBadge, VerdictBadge } from "../ui/badges";
import { now } from "../ui/now";
import { go, listPath, operationPath } from "../ui/route";
import { useTitle } from "../ui/title";

const REASONS_SHOWN = 2;

/** Whether there is room for the table. */
const wideQuery = window.matchMedia("(min-width: 76rem)");
const wide = signal(wideQuery.matches);
wideQuery.addEventListener("change", (event) => {
  wide.value = event.matches;
});

function Reasons({ codes }: { codes: readonly string[] }) {
  const text = words().list;
  if (codes.length === 0) return <p class="reasons quiet">{text.noReasons}</p>;
  const rest = codes.length - REASONS_SHOWN;
  return (
    <ul class="reasons">
      {codes.slice(0, REASONS_SHOWN).map((code) => (
        <li key={code}>{reasonText(code)}</li>
      ))}
      {rest > 0 && <li class="quiet">{text.more(rest)}</li>}
    </ul>
  );
}

function When({ at }: { at: string }) {
  const date = new Date(at);
  const spoken = language.value;
  return (
    <time dateTime={at} title={`${dateTime(spoken, date)} ${zone(date)}`}>
      {when(spoken, date, now.value)}
    </time>
  );
}

interface RowProps {
  op: OperationSummary;
  fresh: boolean;
  /** Only so that a change of language draws the row anew. */
  spoken: string;
}

/** Draws again only when its own operation or the language changed: 500 rows, four repaints a second. */
abstract class Still extends Component<RowProps> {
  override shouldComponentUpdate(next: RowProps): boolean {
    return next.op !== this.props.op || next.spoken !== this.props.spoken;
  }
}

class TableRow extends Still {
  override render({ op, fresh }: RowProps) {
    const { operations, channels } = words();
    return (
      <tr data-verdict={op.verdict} data-id={op.id} class={fresh ? "fresh" : ""}>
        <td class="numeric">
          <When at={op.requested_at} />
        </td>
        <td class="numeric line">{op.line}</td>
        <td>
          <a class="whole" href={operationPath(op.id)}>
            {word(operations, op.operation)}
          </a>
          <span class="quiet small block">{word(channels, op.channel)}</span>
        </td>
        <td class="numeric">{op.operator}</td>
        <td>
          <VerdictBadge verdict={op.verdict} />
        </td>
        <td>
          <StateBadge state={op.state} />
        </td>
        <td>
          <Reasons codes={op.reasons} />
        </td>
      </tr>
    );
  }
}

class Card extends Still {
  override render({ op, fresh }: RowProps) {
    const { operations, channels } = words();
    return (
      <li data-verdict={op.verdict} data-id={op.id} class={fresh ? "card fresh" : "card"}>
        <div class="between">
          <a class="whole" href={operationPath(op.id)}>
            {word(operations, op.operation)}
          </a>
          <When at={op.requested_at} />
        </div>
        <div class="quiet small">
          <span class="line">{op.line}</span> · {op.operator} · {word(channels, op.channel)}
        </div>
        <div class="marks">
          <VerdictBadge verdict={op.verdict} />
          <StateBadge state={op.state} />
        </div>
        <Reasons codes={op.reasons} />
      </li>
    );
  }
}

function Table({ rows }: { rows: readonly OperationSummary[] }) {
  const { columns, title } = words().list;
  const spoken = language.value;
  return (
    <table class="operations">
      <caption class="hidden">{title}</caption>
      <thead>
        <tr>
          <th scope="col">
            {columns.when} <span class="zone">{zone(now.value)}</span>
          </th>
          <th scope="col">{columns.line}</th>
          <th scope="col">{columns.operation}</th>
          <th scope="col">{columns.operator}</th>
          <th scope="col">{columns.verdict}</th>
          <th scope="col">{columns.state}</th>
          <th scope="col">{columns.reasons}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((op) => (
          <TableRow key={op.id} op={op} spoken={spoken} fresh={list.fresh.has(op.id)} />
        ))}
      </tbody>
    </table>
  );
}

function Cards({ rows }: { rows: readonly OperationSummary[] }) {
  const spoken = language.value;
  return (
    <ul class="cards" aria-label={words().list.title}>
      {rows.map((op) => (
        <Card key={op.id} op={op} spoken={spoken} fresh={list.fresh.has(op.id)} />
      ))}
    </ul>
  );
}

function Filter() {
  const { list: text, states } = words();
  const chosen = list.stateFilter.value;
  const known = chosen === null || (STATES as readonly string[]).includes(chosen);
  return (
    <>
      <nav class="chips" aria-label={text.filter}>
        {[null, ...STATES].map((state) => (
          <a key={state} href={listPath(state)} aria-current={state === chosen ? "true" : undefined}>
            {state === null ? text.all : states[state]}
          </a>
        ))}
      </nav>
      <label class="pick">
        <span>{text.filter}</span>
        <select value={chosen ?? ""} onChange={(event) => go(listPath(event.currentTarget.value || null))}>
          <option value="">{text.all}</option>
          {!known && <option value={chosen}>{chosen}</option>}
          {STATES.map((state) => (
            <option key={state} value={state}>
              {states[state]}
            </option>
          ))}
        </select>
      </label>
    </>
  );
}

/** How the operations on the page were decided: counts in words, and their shares as one thin bar. */
function Summary({ rows }: { rows: readonly OperationSummary[] }) {
  const { list: text, verdicts } = words();
  const counts = VERDICTS.map((verdict) => ({ verdict, n: rows.filter((op) => op.verdict === verdict).length }));
  let from = 0;
  return (
    <section class="summary" aria-label={text.summary}>
      <dl>
        {counts.map(({ verdict, n }) => (
          <div key={verdict} data-verdict={verdict}>
            <dt>
              <Shape name={verdict} /> {verdicts[verdict]}
            </dt>
            <dd>{n}</dd>
          </div>
        ))}
      </dl>
      <svg class="shares" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">
        {counts.map(({ verdict, n }) => {
          const width = rows.length === 0 ? 0 : (100 * n) / rows.length;
          const x = from;
          from += width;
          return <rect key={verdict} data-verdict={verdict} x={x} width={width} height="1" />;
        })}
      </svg>
    </section>
  );
}

function Motion() {
  const text = words().list;
  const waiting = list.waiting.value;
  const note = list.paused.value ? text.pausedNote(waiting) : list.pointed.value ? text.pointedNote(waiting) : "";
  return (
    <div class="motion">
      <span class="quiet small">{note}</span>
      <button type="button" aria-pressed={list.paused.value} onClick={() => list.setPaused(!list.paused.value)}>
        {list.paused.value ? text.resume : text.pause}
      </button>
    </div>
  );
}

function Body({ rows }: { rows: readonly OperationSummary[] }) {
  const { list: text, states, errors } = words();
  const state = list.stateFilter.value;
  if (list.load.value === "loading") return <p class="quiet blank">{text.loading}</p>;
  if (list.load.value === "failed" && rows.length === 0) {
    return (
      <div class="trouble" role="alert">
        <p>{errors.unreachable}</p>
        <button type="button" onClick={() => void list.snapshot()}>
          {errors.retry}
        </button>
      </div>
    );
  }
  if (rows.length === 0) {
    return <p class="quiet blank">{state === null ? text.empty : text.emptyState(word(states, state))}</p>;
  }
  return wide.value ? <Table rows={rows} /> : <Cards rows={rows} />;
}

export function OperationsPage() {
  const text = words().list;
  const rows = list.rows.value;
  useTitle(text.title);
  // Leaving by a click leaves no pointer event behind.
  useEffect(() => () => list.setPointed(false), []);
  // A finger does not hover: only a mouse holds the list still.
  const point = (event: PointerEvent) => list.setPointed(event.type === "pointerenter" && event.pointerType === "mouse");
  return (
    <>
      <div class="head">
        <div>
          <h1>{text.title}</h1>
          <p class="quiet">{text.lead}</p>
        </div>
        <Motion />
      </div>
      <Summary rows={rows} />
      <Filter />
      <div onPointerEnter={point} onPointerLeave={point}>
        <Body rows={rows} />
      </div>
      <p class="quiet small foot">
        {text.shown(rows.length)}
        {rows.length >= list.ROWS_MAX && ` · ${text.full(list.ROWS_MAX)}`}
      </p>
    </>
  );
}
