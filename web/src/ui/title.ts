/** The title of the page in the browser's tab and history. */

import { useEffect } from "preact/hooks";

export function useTitle(text: string): void {
  useEffect(() => {
    document.title = `${text} – simwarden`;
  }, [text]);
}
