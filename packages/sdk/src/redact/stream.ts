import type { Matcher, Span } from "./matcher.ts";
import { KEY_BEGIN, KEY_END } from "./shapes.ts";

/** Masks a text that comes in chunks. What may be the beginning of a secret is held back until it is known. */
export interface RedactingStream {
  /** What can be told so far. */
  push(chunk: string): string;
  /** What is held back only because a token of a known shape may have begun. Half a value stays: half of a secret is too much. */
  settle(): string;
  /** All that is left. */
  flush(): string;
  /** Whether something is held back. */
  readonly isHolding: boolean;
}

interface StreamOptions {
  readonly matcher: () => Matcher;
  readonly mask: (text: string, spans: readonly Span[]) => string;
  readonly shapes: boolean;
}

/** No token is longer; a run of so many characters without white space is no reason to hold back more. */
const LONGEST_TOKEN = 4096;
/** A private key that has not ended by then was none. */
const LONGEST_KEY = 16_384;

export function redactingStream({ matcher, mask, shapes }: StreamOptions): RedactingStream {
  let held = "";
  const take = (isPending: (text: string) => number): string => {
    const spans = matcher().find(held);
    let border = isPending(held);
    // What is masked is masked whole, with what may yet overlap it.
    for (const { start, end } of spans) if (start < border && end > border) border = start;
    const ready = held.slice(0, border);
    held = held.slice(border);
    return mask(
      ready,
      spans.filter(({ end }) => end <= border),
    );
  };
  const values = (text: string) => matcher().pendingFrom(text);
  return {
    push(chunk) {
      held += chunk;
      return take((text) => (shapes ? Math.min(values(text), shapeFrom(text)) : values(text)));
    },
    settle: () => take(values),
    flush: () => take((text) => text.length),
    get isHolding() {
      return held !== "";
    },
  };
}

/** Where a token or a key may have begun whose end has not come. */
function shapeFrom(text: string): number {
  const token = lastRunFrom(text);
  const begin = text.lastIndexOf("-----BEGIN ");
  if (begin < 0 || text.length - begin > LONGEST_KEY) return token;
  const rest = text.slice(begin);
  const isOpen = (KEY_BEGIN.test(rest) || !rest.includes("\n")) && !KEY_END.test(rest);
  return isOpen ? Math.min(token, begin) : token;
}

/** Where the characters after the last white space begin; the text's end when there are so many that they are no token. */
function lastRunFrom(text: string): number {
  let at = text.length;
  while (at > 0 && text.length - at < LONGEST_TOKEN && text.charCodeAt(at - 1) > 0x20) at--;
  return text.length - at < LONGEST_TOKEN ? at : text.length;
}
