import { inspect } from "node:util";

const MASK = "[secret]";

/**
 * A value that cannot print: string conversion, JSON and inspection all show `[secret]`.
 * `reveal()` is the only way out, so that a search for it finds every use.
 *
 * @example
 * const password = await ctx.secret("DATABASE_PASSWORD");
 * await connect({ password: password.reveal() });
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The value itself. Hand it to the one call that needs it; never keep, log or return it. */
  reveal(): string {
    return this.#value;
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [inspect.custom](): string {
    return MASK;
  }
}

/** Names one version of an application's secret. It stands in a spec in place of the value. */
export interface SecretRef {
  /** The name as the manifest lists it. */
  readonly name: string;
  /** The version that the release pins. */
  readonly version: string;
}
