/** Says in words what went wrong with a call, and offers another try. */

import { ApiError, Unreachable } from "../api/client";
import { words } from "../i18n/index";

function sentence(cause: unknown): string {
  const { errors } = words();
  if (cause instanceof Unreachable || !(cause instanceof ApiError)) return errors.unreachable;
  if (cause.status === 403) return errors.forbidden;
  if (cause.status === 429) return errors.limited;
  if (cause.status >= 500) return errors.server;
  return errors.other(cause.problem.detail ?? cause.problem.title);
}

export function Trouble({ cause, retry }: { cause: unknown; retry: () => void }) {
  const { errors } = words();
  const request = cause instanceof ApiError ? cause.problem.request_id : undefined;
  return (
    <div class="trouble" role="alert">
      <p>{sentence(cause)}</p>
      {request && <p class="quiet small">{errors.request(request)}</p>}
      <button type="button" onClick={retry}>
        {errors.retry}
      </button>
    </div>
  );
}
