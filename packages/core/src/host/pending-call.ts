import { type Redactor, createRedactor } from "@helixstack/sdk/redact";
import { EngineError, toEngineError } from "../domain/errors.ts";
import type { InstalledPlugin, PluginCall } from "../ports/plugins.ts";
import type { AnswerChecks } from "./answer-check.ts";
import { placeOf, raisedError } from "./call-errors.ts";
import { logLines } from "./log-lines.ts";
import { CANCEL_GRACE_MS, type FromHost, type SecretRequest, type ToHost } from "./protocol.ts";
import { grantSecret } from "./secret-grants.ts";
import type { StopWatch } from "./stop-watch.ts";

export type CallReply = Extract<FromHost, { readonly id: number }>;

/** A call that a host has and has not settled. */
export interface PendingCall {
  /** Settles once: as the plugin settles it, or as {@link PendingCall.fail} says. */
  readonly outcome: Promise<unknown>;
  receive(message: CallReply): void;
  /** Ends it from outside: its host is gone. */
  fail(error: EngineError): void;
}

/** What a call needs of its host. */
export interface HostLink {
  readonly plugin: InstalledPlugin;
  readonly checks: AnswerChecks;
  /** Masks every value that the process was given in any call: what it prints belongs to none. */
  readonly redactor: Redactor;
  /** The plugin's own credentials that it was given: it may keep them from one call to the next. */
  readonly credentials: Set<string>;
  send(message: ToHost): void;
  /** Ends the host's process at once; every call on it fails when it is gone. */
  kill(reason: string): void;
}

export interface PendingCallOptions {
  readonly id: number;
  readonly call: PluginCall;
  readonly link: HostLink;
  readonly watch: StopWatch;
  /** Takes the items of a verb that streams, as they came together. */
  readonly onItems?: (values: readonly unknown[]) => void;
}

/**
 * Follows one call to its end. Secrets that the plugin was given for it are masked in all text that it says; those of other calls are not, or a text would
 * tell whether it holds somebody else's. Other answers stay as they are: a state in
 * which a word happens to be somebody's password must come back as it was.
 */
export function pendingCall(options: PendingCallOptions): PendingCall {
  const { id, call, link, watch } = options;
  const place = placeOf(call, link.plugin);
  const settlement = settleOnce();
  const redactor = createRedactor();
  for (const value of link.credentials) redactor.add(value);
  const secrets = secretAnswers(options, redactor);
  let ignored: EngineError | undefined;

  watch.onStop(() => {
    link.send({ type: "cancel", id });
    const timer = setTimeout(() => {
      ignored = watch.ignored(CANCEL_GRACE_MS);
      link.kill(ignored.message);
    }, CANCEL_GRACE_MS);
    settlement.onSettled(() => clearTimeout(timer));
  });
  const fail = (error: EngineError) => settlement.reject(ignored ?? (watch.why === null ? error : stoppedWith(error, watch)));
  const checked = (answers: readonly unknown[], then: () => void) => {
    const problem = link.checks.problem(place, answers);
    if (problem) fail(problem);
    else then();
  };
  const receive = (message: CallReply): void => {
    switch (message.type) {
      case "result":
        // What comes after the cancel is ignored, however right it is: the caller has been told that it will not come.
        if (watch.why !== null) return fail(watch.stopped());
        if (options.onItems) return settlement.resolve(undefined);
        return checked([message.value], () => settlement.resolve(call.verb === "run" ? redactor.deep(message.value) : message.value));
      case "error":
        return fail(secrets.refusalFor(message.error.message) ?? raisedError(place, redactor.deep(message.error)));
      case "items":
        return checked(message.values, () => options.onItems?.(redactor.deep(message.values)));
      case "secret":
        return void secrets.answer(message);
      default:
        return tell(message, { call, redactor });
    }
  };
  return { outcome: settlement.promise, receive, fail };
}

/** A stopped call ends as stopped; what the plugin said when it gave up explains where it was. */
function stoppedWith(error: EngineError, watch: StopWatch): EngineError {
  const { code, message, options } = watch.stopped();
  const { logs, details } = error.options;
  return new EngineError(code, message, { ...options, logs, details, cause: error });
}

/** Passes on what the plugin says while it works. */
function tell(
  message: Extract<CallReply, { type: "log" | "progress" }>,
  { call, redactor }: { readonly call: PluginCall; readonly redactor: Redactor },
): void {
  if (message.type === "progress") return call.onProgress?.(redactor.text(message.note).slice(0, 200));
  const at = new Date().toISOString();
  const { level, fields } = message;
  for (const text of logLines(message.text, fields)) call.onLog?.({ at, level, text: redactor.text(text) });
}

function secretAnswers({ id, call, link }: PendingCallOptions, redactor: Redactor) {
  const refusals: EngineError[] = [];
  return {
    async answer(wanted: SecretRequest): Promise<void> {
      const { request } = wanted;
      try {
        const value = (await grantSecret(wanted, { call, plugin: link.plugin })).reveal();
        redactor.add(value);
        link.redactor.add(value);
        if (wanted.kind === "credential") link.credentials.add(value);
        link.send({ type: "secret", id, request, value });
      } catch (thrown) {
        const error = toEngineError(thrown);
        refusals.push(error);
        const { code, message, hint } = error.toDocument();
        link.send({ type: "secret", id, request, error: { code, message, hint, retryable: error.retryable } });
      }
    },
    /** The engine's own error behind what the plugin raised: its code may be none that a plugin can raise. */
    refusalFor: (message: string) => refusals.find((error) => error.message === message),
  };
}

function settleOnce() {
  let resolve: (value: unknown) => void = () => {};
  let reject: (error: EngineError) => void = () => {};
  const promise = new Promise<unknown>((...both) => ([resolve, reject] = both));
  const onSettled = (callback: () => void) => void promise.then(callback, callback);
  return { promise, resolve, reject, onSettled };
}
