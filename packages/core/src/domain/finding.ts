/** What everybody is shown of a finding; the record of the decision has more. */
const SHOWN = ["rule", "level", "message", "path", "file", "line", "fix"] as const;

interface Recorded {
  readonly message: string;
  readonly waiver?: { readonly by: string; readonly reason: string; readonly expiresAt: string };
}

/** A finding with its seven keys. Of one that was waived, the message says by whom and until when. */
export function plainFinding<F extends Recorded & Record<(typeof SHOWN)[number], unknown>>(finding: F): Pick<F, (typeof SHOWN)[number]> {
  const { waiver, message } = finding;
  const plain = Object.fromEntries(SHOWN.map((key) => [key, finding[key]])) as Pick<F, (typeof SHOWN)[number]>;
  return waiver ? { ...plain, message: `${message} (waived by ${waiver.by} until ${waiver.expiresAt}: ${waiver.reason})` } : plain;
}
