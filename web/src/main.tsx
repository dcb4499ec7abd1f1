/** Starts the console: language, colours, address, session, live line; then draws. */

import { render } from "preact";
import { effect } from "@preact/signals";
import { startLanguage } from "./i18n/index";
import { connect, disconnect } from "./live/connection";
import { filterBy, follow } from "./live/operation-list";
import { OperationPage } from "./pages/operation";
import { OperationsPage } from "./pages/operations";
import { SignInPage } from "./pages/sign-in";
import { startClock } from "./ui/now";
import { route, startRouting } from "./ui/route";
import { session, sessionEnded, startSession } from "./ui/session";
import { Shell } from "./ui/shell";
import { startTheme } from "./ui/theme";
import "./styles/index.css";

function Page() {
  const now = session.value;
  if (now.kind === "starting") return null;
  if (now.kind === "out") return <SignInPage />;
  const where = route.value;
  return where.page === "operation" ? <OperationPage key={where.id} id={where.id} /> : <OperationsPage />;
}

function App() {
  return (
    <Shell>
      <Page />
    </Shell>
  );
}

/** The live line stands as long as somebody is signed in. */
function liveWhileSignedIn(): void {
  let leave: (() => void) | null = null;
  effect(() => {
    const signedIn = session.value.kind === "in";
    if (signedIn && !leave) {
      leave = follow();
      connect(sessionEnded);
    } else if (!signedIn && leave) {
      disconnect();
      leave();
      leave = null;
    }
  });
}

async function start(): Promise<void> {
  startTheme();
  startRouting();
  startClock();
  await Promise.all([startLanguage(), startSession()]);
  effect(() => {
    const where = route.value;
    if (where.page === "operations") filterBy(where.state, session.peek().kind === "in");
  });
  liveWhileSignedIn();
  const root = document.getElementById("app");
  if (root) render(<App />, root);
}

void start();
