/** Tokens that are known by their look, whoever's they are. None holds white space, so that a stream can tell where one may have begun. */
const TOKENS = [
  "hlx_[A-Za-z0-9_-]{20,}",
  "\\b(?:AKIA|ASIA)[0-9A-Z]{16}\\b",
  "\\bgh[pousr]_[A-Za-z0-9]{36,}",
  "\\bgithub_pat_[A-Za-z0-9_]{22,}",
  "\\bglpat-[A-Za-z0-9_-]{20,}",
  "\\bxox[abeprs]-[A-Za-z0-9-]{10,}",
  "\\b[rs]k_live_[A-Za-z0-9]{16,}",
  "\\bAIza[0-9A-Za-z_-]{35}",
  "\\bnpm_[A-Za-z0-9]{36}\\b",
  "\\bhv[sbr]\\.[A-Za-z0-9_-]{24,}",
  "\\beyJ[A-Za-z0-9_-]{10,}\\.[A-Za-z0-9_-]{10,}\\.[A-Za-z0-9_-]{10,}",
  "(?<=[a-z]://[^/\\s:@]{0,100}:)[^/\\s:@]{3,}(?=@)",
];
const TOKEN = new RegExp(TOKENS.join("|"), "g");
/** A text without any of these has no token. Looking for plain words is many times as fast as a pattern. */
const SIGNS = [
  "hlx_",
  "AKIA",
  "ASIA",
  "ghp_",
  "gho_",
  "ghu_",
  "ghs_",
  "ghr_",
  "github_pat_",
  "glpat-",
  "xox",
  "k_live_",
  "AIza",
  "npm_",
  "hvs.",
  "hvb.",
  "hvr.",
  "eyJ",
  "://",
];

const KEY_SIGN = "-----BEGIN ";
export const KEY_BEGIN = /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----/;
export const KEY_END = /-----END [A-Z ]{0,30}PRIVATE KEY-----/;
const KEY = new RegExp(`${KEY_BEGIN.source}[\\s\\S]*?(?:${KEY_END.source}|$)`, "g");

/** Whether a text has none of what every known shape begins with. Then no part of it has a token or a key either. */
export function hasNoShape(text: string): boolean {
  return !SIGNS.some((sign) => text.includes(sign)) && !text.includes(KEY_SIGN);
}

/** Masks everything of a known shape. A private key that does not end is masked to the end of the text. */
export function maskShapes(text: string, mask: string): string {
  const tokens = SIGNS.some((sign) => text.includes(sign)) ? text.replace(TOKEN, mask) : text;
  return tokens.includes(KEY_SIGN) ? tokens.replace(KEY, mask) : tokens;
}
