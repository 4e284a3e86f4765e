/** Shorter values cannot be told from ordinary text. */
const SHORTEST = 4;
/** What is left of a short value's encoding could be anything. */
const SHORTEST_ENCODED = 6;

/** Every text by which a value would be known: as it is, line by line, and as programs write it into URLs, JSON, base64 and hex. Longest first. */
export function formsOf(value: string): readonly string[] {
  const parts = [value, value.trim(), ...value.split(/\r?\n/).map((line) => line.trim())];
  const plain = [...new Set(parts)].filter((part) => part.length >= SHORTEST);
  const whole = plain.slice(0, 2).flatMap((part) => [...encoded(part), ...escaped(part)]);
  const forms = new Set([...plain, ...whole.filter((form) => form.length >= SHORTEST_ENCODED)]);
  return [...forms].sort((a, b) => b.length - a.length);
}

function encoded(value: string): readonly string[] {
  const bytes = Buffer.from(value);
  const hex = bytes.toString("hex");
  const base64 = [0, 1, 2].map((offset) => stableBase64(bytes, offset));
  return [hex, hex.toUpperCase(), ...base64, ...base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_"))];
}

/**
 * The characters of a base64 text that depend on the value alone, where `offset` bytes stand before it (modulo 3). What stands at its edges also depends on its
 * neighbours.
 */
function stableBase64(bytes: Buffer, offset: number): string {
  const text = Buffer.concat([Buffer.alloc(offset), bytes]).toString("base64");
  const first = Math.ceil((offset * 8) / 6);
  const end = Math.floor(((offset + bytes.length) * 8) / 6);
  return text.slice(first, end);
}

function escaped(value: string): readonly string[] {
  const json = JSON.stringify(value).slice(1, -1);
  const twice = JSON.stringify(json).slice(1, -1);
  // Go's and other encoders escape more than JavaScript's.
  const html = json.replace(/[<>&]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`);
  const ascii = json.replace(/[\u0080-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
  return [json, twice, html, ascii, json.replaceAll("/", "\\/"), ...urlForms(value)];
}

function urlForms(value: string): readonly string[] {
  // A lone half of a surrogate pair cannot be written in a URL.
  const whole = Buffer.from(value).toString();
  const url = encodeURIComponent(whole);
  const strict = url.replace(/[!'()*]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`);
  const lower = strict.replace(/%[0-9A-F]{2}/g, (escape) => escape.toLowerCase());
  return [url, strict, lower, strict.replaceAll("%20", "+"), encodeURI(whole)];
}
