/** Leave to go on in spite of one soft-mandatory rule, given by somebody else than who deploys, for a while. */
export interface WaiverTerms {
  readonly id: string;
  readonly rule: string;
  /** Only for this path in the input and what lies below it; null for every one. */
  readonly path: string | null;
  readonly reason: string;
  readonly principal: { readonly id: string; readonly name: string };
  /** ISO 8601. */
  readonly expiresAt: string;
}

/** What a waiver must know of a finding. */
interface Waivable {
  readonly rule: string;
  readonly level: string;
  readonly path: string;
  readonly waiver?: { readonly id: string; readonly by: string; readonly reason: string; readonly expiresAt: string };
}

/** Notes on each soft-mandatory finding which waiver lets it pass. Others cannot be waived, whatever a waiver says. */
export function applyWaivers<F extends Waivable>(
  findings: readonly F[],
  waivers: readonly WaiverTerms[],
): { readonly findings: readonly F[]; readonly isWaived: (finding: F) => boolean } {
  const waived = findings.map((finding): F => {
    const found = finding.level === "soft-mandatory" ? waivers.find((waiver) => covers(waiver, finding)) : undefined;
    if (!found) return finding;
    const { id, principal, reason, expiresAt } = found;
    return { ...finding, waiver: { id, by: principal.name, reason, expiresAt } };
  });
  return { findings: waived, isWaived: ({ waiver }) => waiver !== undefined };
}

function covers({ rule, path }: WaiverTerms, finding: Waivable): boolean {
  return rule === finding.rule && (path === null || path === finding.path || finding.path.startsWith(`${path}.`));
}

/** Of these waivers, those that count for a deployment of this principal at this time. Nobody waives for themselves. */
export function activeWaivers<W extends WaiverTerms>(
  waivers: readonly W[],
  { nowMs, principal }: { nowMs: number; principal: string },
): readonly W[] {
  return waivers.filter((waiver) => Date.parse(waiver.expiresAt) > nowMs && waiver.principal.id !== principal);
}
