/** A part of a text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Finds the forms of secrets in texts. */
export interface Matcher {
  /** What is covered by occurrences, overlapping ones joined, in order. */
  find(text: string): readonly Span[];
  /** Where the text's end may be the beginning of an occurrence that more text would complete; the text's length when it is not. */
  pendingFrom(text: string): number;
}

/** A matcher for these texts, each of at least three characters. */
export function createMatcher(forms: readonly string[]): Matcher {
  if (forms.length === 0) return { find: () => [], pendingFrom: (text) => text.length };
  const sorted = forms.toSorted((a, b) => b.length - a.length);
  const longest = sorted[0]!.length;
  const table = shiftTable(sorted);
  const starts = groupBy(sorted, (form) => form.charCodeAt(0));
  return {
    find: (text) => findAll(text, table),
    pendingFrom(text) {
      for (let at = Math.max(0, text.length - longest + 1); at < text.length; at++) {
        const rest = text.length - at;
        const candidates = starts.get(text.charCodeAt(at));
        if (candidates?.some((form) => form.length > rest && text.endsWith(form.slice(0, rest)))) return at;
      }
      return text.length;
    },
  };
}

const BLOCK = 3;
/** Few collisions are wanted, and small tables for few words: they are made anew for each call that has secrets. */
const SLOTS_PER_BLOCK = 4;
const MIN_BITS = 10;
const MAX_BITS = 18;

/**
 * The tables of Wu and Manber's search for many words at once: three characters of the text tell how far the next possible end of a word's beginning is, so that most of
 * the text is never looked at.
 */
interface ShiftTable {
  /** Length of the shortest word: of the others only the beginning of that length is looked for at first. */
  readonly window: number;
  readonly shifts: Uint16Array;
  /** Of hashes: the table's size less one. */
  readonly mask: number;
  /** Words by the last block of their window, longest first. */
  readonly words: ReadonlyMap<number, readonly string[]>;
}

function shiftTable(sorted: readonly string[]): ShiftTable {
  const window = Math.min(sorted.at(-1)!.length, 60_000);
  const bits = Math.ceil(Math.log2(sorted.length * window * SLOTS_PER_BLOCK));
  const mask = 2 ** Math.min(MAX_BITS, Math.max(MIN_BITS, bits)) - 1;
  const shifts = new Uint16Array(mask + 1).fill(window - BLOCK + 1);
  for (const word of sorted) {
    for (let end = BLOCK; end <= window; end++) {
      const hash = hashAt(word, end - 1) & mask;
      shifts[hash] = Math.min(shifts[hash]!, window - end);
    }
  }
  return { window, shifts, mask, words: groupBy(sorted, (word) => hashAt(word, window - 1) & mask) };
}

function findAll(text: string, { window, shifts, mask, words }: ShiftTable): readonly Span[] {
  const spans: { start: number; end: number }[] = [];
  for (let at = window - 1; at < text.length;) {
    const hash = hashAt(text, at) & mask;
    const shift = shifts[hash]!;
    if (shift > 0) {
      at += shift;
      continue;
    }
    const start = at - window + 1;
    const word = words.get(hash)?.find((one) => text.startsWith(one, start));
    if (word !== undefined) cover(spans, { start, end: start + word.length });
    at++;
  }
  return spans;
}

/** Adds a span; one that begins within the last makes that one longer. */
function cover(spans: { start: number; end: number }[], { start, end }: Span): void {
  const last = spans.at(-1);
  if (last && start < last.end) last.end = Math.max(last.end, end);
  else spans.push({ start, end });
}

/** Of the three characters that end at `at`. */
function hashAt(text: string, at: number): number {
  return (text.charCodeAt(at - 2) * 0x9e5b) ^ (text.charCodeAt(at - 1) * 0x1f3) ^ text.charCodeAt(at);
}

function groupBy(words: readonly string[], keyOf: (word: string) => number): ReadonlyMap<number, readonly string[]> {
  const groups = new Map<number, string[]>();
  for (const word of words) {
    const group = groups.get(keyOf(word));
    if (group) group.push(word);
    else groups.set(keyOf(word), [word]);
  }
  return groups;
}
