import type { IncomingMessage, ServerResponse } from "node:http";
import type { Dispatcher } from "undici";
import { type OwnAnswer, answerForAll, isLast, sendAnswer } from "./answers.ts";
import { type Connection, next } from "./connection.ts";
import { EventStream } from "./event-stream.ts";
import type { ExchangeInput } from "./exchange-input.ts";
import type { Held } from "./hold-queue.ts";
import { type Incoming, isRefused, readIncoming } from "./incoming.ts";
import type { LiveTarget } from "./live-route.ts";
import { passInterim } from "./interim.ts";
import { logFailure } from "./log-failure.ts";
import { Placement, isTarget } from "./placement.ts";
import { REFUSAL, noTarget, stopped, targetFailed } from "./refusals.ts";
import { RequestBody } from "./request-body.ts";
import { targetHeaders } from "./request-headers.ts";
import { requestId } from "./request-id.ts";
import { responseHead } from "./response-head.ts";
import { retryOf } from "./retry.ts";
import { type TargetError, targetError } from "./target-error.ts";
import { ENDED, type Link } from "./upstream.ts";

const EXCHANGE = Symbol("exchange");
const FLUSH_HEAD = (exchange: Exchange): void => exchange.flushHead();

type Tracked = ServerResponse & { [EXCHANGE]?: Exchange };

/**
 * One request and its answer. It is undici's handler itself: the hot path makes this object, the sorted headers, and nothing else
 * of its own. In flight to a revision from the choice of a target until the client's side is finished or closed.
 */
export class Exchange implements Dispatcher.DispatchHandler, Held {
  readonly connection: Connection;
  readonly #req: IncomingMessage;
  readonly #res: ServerResponse;
  readonly #port: number;
  readonly #expectsContinue: boolean;
  readonly #refusal: OwnAnswer | null;
  #id: string | null = null;
  #incoming: Incoming | null = null;
  #headers: string[] | null = null;
  #placement: Placement | null = null;
  #target: LiveTarget | null = null;
  #link: Link | null = null;
  #body: RequestBody | null = null;
  #events: EventStream | null = null;
  #abort: ((error?: Error) => void) | null = null;
  #resume: (() => void) | null = null;
  #isSent = false;
  #isAnswered = false;
  #isReused = false;
  #wasRepeated = false;
  #hasHead = false;
  #hasData = false;
  /** The answer is decided: nothing that the target still does counts. */
  #isSettled = false;

  constructor(connection: Connection, { req, res, port, expectsContinue, refusal }: ExchangeInput) {
    this.connection = connection;
    this.#req = req;
    this.#res = res;
    this.#port = port;
    this.#expectsContinue = expectsContinue;
    this.#refusal = refusal ?? null;
    (res as Tracked)[EXCHANGE] = this;
    res.on("close", onClose);
  }

  get revision(): LiveTarget["revision"] | null {
    return this.#target?.revision ?? null;
  }

  get #service(): string {
    return this.#placement?.service ?? "";
  }

  /** Whether the request has been read to its end. */
  get isRead(): boolean {
    return this.#req.complete;
  }

  begin(): void {
    const { broken, plane } = this.connection;
    // Broken within this request's body, while it waited for its turn.
    const incoming = (this.#req.complete ? null : broken) ?? this.#refusal ?? readIncoming(plane, this.#req, this.#port);
    if (isRefused(incoming)) {
      this.refuse(incoming);
      return;
    }
    this.#incoming = incoming;
    this.#id = requestId(incoming.head.requestId);
    this.#placement = new Placement(plane, { port: this.#port, host: incoming.host });
    if (incoming.path !== "*") return this.#place();
    this.#isSettled = true;
    answerForAll(this.#res, this.#id);
  }

  again(): void {
    this.#place();
  }

  lapse(): void {
    this.refuse(noTarget(this.#service));
  }

  /** Gives the router's own answer, or closes where the target's has begun. */
  refuse(answer: OwnAnswer): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#abort?.(ENDED);
    if (this.#hasHead) {
      this.#res.destroy();
      return;
    }
    // A client that was not told to continue may never send its body: there is nothing to wait for.
    const final = this.#expectsContinue && !this.#body?.started ? { ...answer, close: true } : answer;
    if (isLast(this.#req, final)) this.connection.isClosing = true;
    sendAnswer(this.#req, this.#res, { answer: final, id: this.#id ?? requestId(null) });
  }

  /** The connection is gone before the request had its turn. */
  abandon(): void {
    this.#isSettled = true;
  }

  /** A stream ends between two events; an ordinary request is let finish. */
  tellToGo(): void {
    if (this.#events === null) return;
    this.#events.isTold = true;
    if (this.#events.isBetweenEvents) this.#endStream();
  }

  /** A head whose body is slow to come is sent alone; one whose body came with it went out with that. */
  flushHead(): void {
    if (!this.#hasData && !this.#isSettled) this.#res.flushHeaders();
  }

  /** Ends it now, whatever it does. */
  cut(): void {
    if (this.#isSettled || this.#hasHead) this.#res.destroy();
    else this.refuse(stopped(this.#service));
  }

  #place(): void {
    const found = (this.#placement as Placement).find(this);
    if (found === null) return;
    if (isTarget(found)) this.#dispatch(found);
    else this.refuse(found);
  }

  #dispatch(target: LiveTarget): void {
    const incoming = this.#incoming as Incoming;
    this.#target = target;
    target.revision.enter();
    this.#link = this.#wasRepeated ? target.upstream.fresh() : target.upstream.take();
    this.#isSent = false;
    this.#headers ??= targetHeaders(incoming, {
      remote: this.connection.remote,
      id: this.#id as string,
      httpVersion: this.#req.httpVersion,
    });
    this.#body = incoming.hasBody ? this.#openBody() : null;
    this.#link.client.dispatch(
      { path: incoming.path, method: this.#req.method as Dispatcher.HttpMethod, headers: this.#headers, body: this.#body, blocking: false },
      this,
    );
  }

  #openBody(): RequestBody {
    return new RequestBody(this.#req, {
      limits: this.connection.plane.settings.limits,
      onStart: () => {
        if (this.#expectsContinue && !this.#hasHead) this.#res.writeContinue();
      },
      onRefused: (answer) => this.refuse(answer),
    });
  }

  onConnect(abort: (error?: Error) => void): void {
    if (this.#isSettled) {
      abort(ENDED);
      return;
    }
    this.#abort = abort;
    this.#isSent = true;
    this.#isReused = (this.#link as Link).served > 0;
  }

  onResponseStarted(): void {
    this.#isAnswered = true;
  }

  onHeaders(status: number, raw: Buffer[], resume: () => void, statusText: string): boolean {
    if (status < 200) {
      if (this.#req.httpVersionMinor === 1) passInterim(this.#res, status, raw);
      return true;
    }
    const { plane } = this.connection;
    const head = responseHead(raw, status);
    const { revision } = this.#target as LiveTarget;
    head.headers.push("X-Request-Id", this.#id as string);
    if (revision.release !== null) head.headers.push("X-Helix-Release", revision.release);
    if (plane.isStopping) {
      this.#res.shouldKeepAlive = false;
      this.connection.isClosing = true;
    }
    this.#res.writeHead(status, statusText, head.headers);
    this.#hasHead = true;
    this.#resume = resume;
    if (head.isEventStream && !head.hasLength) this.#events = new EventStream(head.isEncoded, { isTold: revision.draining > 0 });
    process.nextTick(FLUSH_HEAD, this);
    return true;
  }

  onData(chunk: Buffer): boolean {
    if (this.#isSettled) return true;
    this.#hasData = true;
    if (this.#events !== null) {
      const whole = this.#events.advance(chunk);
      if (whole !== -1) {
        this.#res.write(chunk.subarray(0, whole));
        this.#endStream();
        return true;
      }
    }
    if (this.#res.write(chunk)) return true;
    this.#res.once("drain", this.#resume as () => void);
    return false;
  }

  onComplete(): void {
    this.#link?.upstream.give(this.#link);
    this.#link = null;
    this.#abort = null;
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#res.end();
  }

  onError(error: Error): void {
    const link = this.#link;
    this.#link = null;
    this.#abort = null;
    link?.upstream.drop(link);
    if (this.#isSettled) return;
    const failure = targetError(error);
    if (failure.isInvalid) this.refuse(REFUSAL.target);
    else if (!this.#retry(failure)) this.#fail(failure);
  }

  /** The client's side is over, in whichever way. */
  closed(): void {
    this.#isSettled = true;
    this.#placement?.release(this);
    this.#abort?.(ENDED);
    this.#target?.revision.leave();
    this.#target = null;
    // The target answered without reading all of the body: what is left is in the way of the next request.
    if (!this.#req.complete && !this.#req.destroyed) this.#req.resume();
    next(this.connection, this);
  }

  #retry(failure: TargetError): boolean {
    const target = this.#target as LiveTarget;
    const verdict = retryOf({
      method: this.#req.method as string,
      isSent: this.#isSent,
      isAnswered: this.#isAnswered,
      isReused: this.#isReused,
      isBodyTaken: this.#body?.started ?? false,
      isTimeout: failure.isTimeout,
      wasRepeated: this.#wasRepeated,
    });
    if (verdict === "no") return false;
    if (verdict === "again") this.#wasRepeated = true;
    else if (!(this.#placement as Placement).hasOther(target.upstream)) return false;
    target.revision.leave();
    this.#target = null;
    this.#place();
    return true;
  }

  #fail(failure: TargetError): void {
    const target = this.#target as LiveTarget;
    target.revision.failures += 1;
    logFailure(target, { service: this.#service, why: failure.why, method: this.#req.method, requestId: this.#id });
    this.refuse(targetFailed(this.#service, failure));
  }

  #endStream(): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    this.#res.end();
    this.#abort?.(ENDED);
  }
}

function onClose(this: Tracked): void {
  this[EXCHANGE]?.closed();
}
