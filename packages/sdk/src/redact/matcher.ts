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

/** A matcher for these texts. */
export function createMatcher(forms: readonly string[]): Matcher {
  if (forms.length === 0) return { find: () => [], pendingFrom: (text) => text.length };
  const sorted = forms.toSorted((a, b) => b.length - a.length);
  const longest = sorted[0]!.length;
  const any = new RegExp(sorted.map(escape).join("|"), "g");
  const starts = byFirst(sorted);
  return {
    find(text) {
      const spans: { start: number; end: number }[] = [];
      any.lastIndex = 0;
      for (let match = any.exec(text); match !== null; match = any.exec(text)) {
        const end = match.index + match[0].length;
        const last = spans.at(-1);
        if (last && match.index < last.end) last.end = Math.max(last.end, end);
        else spans.push({ start: match.index, end });
        // The next may begin within this one.
        any.lastIndex = match.index + 1;
      }
      return spans;
    },
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

function byFirst(forms: readonly string[]): ReadonlyMap<number, readonly string[]> {
  const starts = new Map<number, string[]>();
  for (const form of forms) starts.set(form.charCodeAt(0), [...(starts.get(form.charCodeAt(0)) ?? []), form]);
  return starts;
}

function escape(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
