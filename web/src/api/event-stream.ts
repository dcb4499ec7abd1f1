/**
 * Reader of a `text/event-stream` body (WHATWG HTML, 9.2.6).
 *
 * The browser's own EventSource hides comments and status codes. We need both: a keep-alive comment proves that the
 * line is alive, and a 401 must lead to the sign-in page rather than to endless retries.
 */

export interface StreamEvent {
  type: string;
  data: string;
  /** The last id seen so far, empty when none was. */
  id: string;
}

/** A line longer than this is no event of ours: give up rather than eat memory. */
const LINE_CHARS_MAX = 1_000_000;

/** Splits text, in whatever pieces it arrives, into events. */
export class EventParser {
  #rest = "";
  #type = "";
  #data: string[] = [];
  #id = "";
  #start = true;

  /** Takes the next piece of text and gives the events that it completes. */
  push(text: string): StreamEvent[] {
    if (this.#start && text !== "") {
      this.#start = false;
      if (text.startsWith("\uFEFF")) text = text.slice(1);
    }
    const events: StreamEvent[] = [];
    this.#rest += text;
    for (;;) {
      const end = /\r\n|\n|\r(?=[^])/.exec(this.#rest);
      if (!end) break;
      const line = this.#rest.slice(0, end.index);
      this.#rest = this.#rest.slice(end.index + end[0].length);
      const event = this.#line(line);
      if (event) events.push(event);
    }
    if (this.#rest.length > LINE_CHARS_MAX) throw new Error("event stream: a line has no end");
    return events;
  }

  #line(line: string): StreamEvent | null {
    if (line === "") return this.#dispatch();
    if (line.startsWith(":")) return null;
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    let value = colon < 0 ? "" : line.slice(colon + 1);
    if (value.startsWith(" ")) value = value.slice(1);
    if (field === "event") this.#type = value;
    else if (field === "data") this.#data.push(value);
    else if (field === "id" && !value.includes("\0")) this.#id = value;
    return null;
  }

  #dispatch(): StreamEvent | null {
    const event = { type: this.#type || "message", data: this.#data.join("\n"), id: this.#id };
    const empty = this.#data.length === 0;
    this.#type = "";
    this.#data = [];
    return empty ? null : event;
  }
}
