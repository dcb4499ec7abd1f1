/** The newest verified checkpoint of each log key, kept in this browser so that a rewritten log is noticed later. */

import { fromBase64, toBase64 } from "./bytes";
import type { Memory } from "./check";

const PREFIX = "simwarden.checkpoint.";

/** Storage may be forbidden or full: then nothing is remembered, and the check says so. */
export const browserMemory: Memory = {
  recall(vkey) {
    try {
      const [size, root] = (localStorage.getItem(PREFIX + vkey) ?? "").split(" ");
      const bytes = fromBase64(root ?? "");
      return bytes?.length === 32 && Number.isSafeInteger(Number(size)) ? { size: Number(size), root: bytes } : null;
    } catch {
      return null;
    }
  },
  remember(vkey, checkpoint) {
    try {
      localStorage.setItem(PREFIX + vkey, `${checkpoint.size} ${toBase64(checkpoint.root)}`);
    } catch {
      // Forbidden or full: nothing is lost but the comparison next time.
    }
  },
};
