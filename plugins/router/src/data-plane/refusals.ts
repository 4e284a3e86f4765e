import type { HeadFault } from "./request-head.ts";
import type { TargetFault } from "./request-target.ts";
import type { OwnAnswer } from "./answers.ts";

/** Every answer that the router gives of its own, in one place. */
export const REFUSAL = {
  malformed: { status: 400, code: "BAD_REQUEST", message: "This is not a well-formed HTTP/1.1 request.", close: true },
  badHost: { status: 400, code: "BAD_HOST", message: "A request needs exactly one valid Host header.", close: true },
  framing: { status: 400, code: "AMBIGUOUS_FRAMING", message: "The length of this request's body can be read in two ways.", close: true },
  coding: { status: 501, code: "UNKNOWN_CODING", message: "The only transfer coding that is taken is chunked.", close: true },
  target: { status: 400, code: "BAD_TARGET", message: "The target of the request line is not valid.", close: true },
  misdirected: { status: 421, code: "MISDIRECTED", message: "Only plain http targets are served here.", close: true },
  method: { status: 405, code: "METHOD_REFUSED", message: "CONNECT, TRACE and methods of other protocols are not passed on.", close: true },
  version: { status: 505, code: "VERSION_REFUSED", message: "Only HTTP/1.0 and HTTP/1.1 are spoken here.", close: true },
  expectation: { status: 417, code: "EXPECTATION_FAILED", message: "The only expectation that is met is 100-continue." },
  headersTooLarge: {
    status: 431,
    code: "HEADERS_TOO_LARGE",
    message: "The request line and headers are larger than this router takes.",
    close: true,
  },
  slow: { status: 408, code: "REQUEST_TIMEOUT", message: "The request did not arrive in time.", close: true },
  upgradeWithBody: { status: 400, code: "UPGRADE_WITH_BODY", message: "A WebSocket request has no body.", close: true },
  loop: {
    status: 508,
    code: "LOOP",
    message: "This request has come round to the router again and again: a target points at the router itself.",
  },
} as const satisfies Record<string, OwnAnswer>;

export function headRefusal(fault: HeadFault): OwnAnswer {
  if (fault === "host") return REFUSAL.badHost;
  if (fault === "framing") return REFUSAL.framing;
  return fault === "coding" ? REFUSAL.coding : REFUSAL.headersTooLarge;
}

export function targetRefusal(fault: TargetFault): OwnAnswer {
  return fault === "scheme" ? REFUSAL.misdirected : REFUSAL.target;
}

export function bodyTooLarge(limit: number): OwnAnswer {
  return { status: 413, code: "BODY_TOO_LARGE", message: `The request body is larger than the limit of ${limit} bytes.` };
}

export function unknownHost(host: string): OwnAnswer {
  return {
    status: 404,
    code: "UNKNOWN_HOST",
    message: `No service is deployed under the host name "${host}". \`helix status\` shows the addresses of a project.`,
  };
}

export function noTarget(service: string): OwnAnswer {
  return {
    status: 503,
    code: "NO_TARGET",
    message: `The service "${service}" has nothing that serves just now. Try again in a moment.`,
    headers: ["Retry-After", "1"],
  };
}

export function stopped(service: string): OwnAnswer {
  return {
    status: 503,
    code: "STOPPED",
    message: `The revision of "${service}" that worked on this request was stopped before it answered.`,
    headers: ["Retry-After", "1"],
    close: true,
  };
}

export function targetFailed(service: string, error: { readonly isTimeout: boolean; readonly why: string }): OwnAnswer {
  if (error.isTimeout)
    return { status: 504, code: "TARGET_TIMEOUT", message: `The service "${service}" did not answer in time (${error.why}).` };
  return { status: 502, code: "TARGET_FAILED", message: `The service "${service}" did not give a valid answer (${error.why}).` };
}
