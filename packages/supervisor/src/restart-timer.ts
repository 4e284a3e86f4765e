import type { RestartRule } from "./unit.ts";

const FIRST_WAIT_MS = 80;
const GOOD_RUN_MS = 10_000;

/** Decides when a unit is started again: soon at first, then less and less often, until it has run well for a while. */
export class RestartTimer {
  readonly #start: () => void;
  #timer: NodeJS.Timeout | null = null;
  #failures = 0;
  #began = 0;

  constructor(start: () => void) {
    this.#start = start;
  }

  get isPending(): boolean {
    return this.#timer !== null;
  }

  /** The process began to run. */
  began(now: number): void {
    this.#began = now;
  }

  /** Forgets earlier failures. */
  reset(): void {
    this.#failures = 0;
    this.#began = 0;
  }

  /** The process ended: start it again after the wait that is due. */
  plan(rule: RestartRule): void {
    this.cancel();
    if (this.#began > 0 && Date.now() - this.#began >= (rule.goodMs ?? GOOD_RUN_MS)) this.#failures = 0;
    this.#began = 0;
    this.#timer = setTimeout(
      () => {
        this.#timer = null;
        this.#start();
      },
      waitMs(rule, this.#failures),
    );
    this.#failures += 1;
  }

  cancel(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }
}

/** The wait before the start after this many failures in a row, milliseconds. */
export function waitMs(rule: RestartRule, failures: number): number {
  if (failures === 0) return Math.min(rule.minMs, FIRST_WAIT_MS);
  return Math.min(rule.maxMs, rule.minMs * 2 ** Math.min(failures, 30));
}
