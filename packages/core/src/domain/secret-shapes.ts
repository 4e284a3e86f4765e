/**
 * What a secret looks like. One list, two readers: the engine masks with it before anything is stored or shown to a policy, and the guardrails' Rego judges raw
 * text with it (as generated data). Patterns are of the language that RE2 and JavaScript share.
 */
export const SECRET_SHAPES = {
  /** `hints`: parts, one of which stands in every match. */
  patterns: [
    { name: "private key", hints: ["PRIVATE KEY-----"], pattern: "-----BEGIN [A-Z ]*PRIVATE KEY-----" },
    { name: "AWS access key", hints: ["AKIA", "ASIA"], pattern: "\\b(AKIA|ASIA)[0-9A-Z]{16}\\b" },
    {
      name: "GitHub token",
      hints: ["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"],
      pattern: "\\b(gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})",
    },
    { name: "GitLab token", hints: ["glpat-"], pattern: "\\bglpat-[A-Za-z0-9_-]{20,}" },
    { name: "Slack token", hints: ["xox"], pattern: "\\bxox[abeprs]-[A-Za-z0-9-]{10,}" },
    { name: "Stripe key", hints: ["k_live_"], pattern: "\\b[rs]k_live_[A-Za-z0-9]{16,}" },
    { name: "Google API key", hints: ["AIza"], pattern: "\\bAIza[0-9A-Za-z_-]{35}" },
    { name: "npm token", hints: ["npm_"], pattern: "\\bnpm_[A-Za-z0-9]{36}\\b" },
    { name: "JSON web token", hints: ["eyJ"], pattern: "\\beyJ[A-Za-z0-9_-]{10,}\\.[A-Za-z0-9_-]{10,}\\.[A-Za-z0-9_-]{10,}" },
    { name: "password in a URL", hints: ["://"], pattern: "[a-z][a-z0-9+.-]*://[^/\\s:@]*:[^/\\s:@]{3,}@" },
  ],
  /** Names of variables whose value is a secret, most likely. */
  names: "(?i)(^|_)(PASSWORD|PASSWD|SECRET|TOKEN|CREDENTIALS?|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|SECRET_?KEY)$",
  /** One of these ends each of the names. */
  nameEndings: ["PASSWORD", "PASSWD", "SECRET", "TOKEN", "CREDENTIAL", "CREDENTIALS", "KEY"],
  nameMinLength: 6,
  /** Values of these characters, at least so long, with more bits of entropy a character than words have. */
  alphabet: "^[A-Za-z0-9+/=_.-]*[0-9][A-Za-z0-9+/=_.-]*$",
  entropyMinLength: 24,
  entropyBits: 4.3,
  /** Longer values are not measured. */
  entropyMaxLength: 256,
} as const;

const PATTERNS = SECRET_SHAPES.patterns.map(({ name, pattern }) => ({ name, regex: new RegExp(pattern) }));
/** One of these stands in everything that any pattern matches. Nearly all text has none, and is done with after one look. */
const HINTS = new RegExp(SECRET_SHAPES.patterns.flatMap(({ hints }) => hints).join("|"));
const NAMES = new RegExp(SECRET_SHAPES.names.replace("(?i)", ""), "i");
const ALPHABET = new RegExp(SECRET_SHAPES.alphabet);
const LIKELY = "likely secret";

/** The kind of a secret that stands somewhere in the text; null when nothing of a known shape does. */
export function knownSecret(text: string): string | null {
  if (!HINTS.test(text)) return null;
  return PATTERNS.find(({ regex }) => regex.test(text))?.name ?? null;
}

/** What a variable's value seems to be: a known kind, `likely secret`, or null. */
export function secretKind(variable: string, value: string): string | null {
  return knownSecret(value) ?? (isLikely(variable, value) ? LIKELY : null);
}

/** What stands in a secret's place. Policies that look for secrets know it again, so that a stored input decides as the first one did. */
export function maskOf(kind: string): string {
  return `[masked: ${kind}]`;
}

function isLikely(variable: string, value: string): boolean {
  const { nameMinLength, entropyMinLength, entropyMaxLength, entropyBits } = SECRET_SHAPES;
  if (NAMES.test(variable) && value.length >= nameMinLength) return true;
  const isMeasured = value.length >= entropyMinLength && value.length <= entropyMaxLength && ALPHABET.test(value);
  return isMeasured && bitsPerCharacter(value) > entropyBits;
}

function bitsPerCharacter(value: string): number {
  const counts = new Map<string, number>();
  for (const character of value) counts.set(character, (counts.get(character) ?? 0) + 1);
  const sum = [...counts.values()].reduce((total, times) => total + times * Math.log2(times), 0);
  return Math.log2(value.length) - sum / value.length;
}
