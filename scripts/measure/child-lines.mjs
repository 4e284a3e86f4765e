import { readFileSync, readdirSync } from "node:fs";
import { SourceMap } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Which lines of which sources ran in processes that wrote V8 coverage into a folder: a map from file to a set of lines, from 1. A line ran where code ran that
 * the source map says begins there. Scripts without a source map are left out.
 */
export function linesOfChildren(folder) {
  const scripts = new Map();
  for (const name of readdirSync(folder).filter((file) => file.endsWith(".json"))) {
    const dump = readDump(join(folder, name));
    for (const { url, functions } of dump.result) {
      const map = dump["source-map-cache"]?.[url];
      if (!map?.data || !url.startsWith("file:")) continue;
      const script = scripts.get(url) ?? { map, ran: new Uint8Array(lengthOf(map)) };
      scripts.set(url, script);
      addRan(script.ran, functions);
    }
  }
  const lines = new Map();
  for (const [url, script] of scripts) addLines(lines, url, script);
  return lines;
}

/** A process that was killed while it wrote leaves half a document. */
function readDump(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8"));
  } catch {
    return { result: [] };
  }
}

function lengthOf({ lineLengths }) {
  return lineLengths.reduce((sum, length) => sum + length + 1, 0);
}

/** Ranges come outer before inner, so the last that holds a character decides. */
function addRan(ran, functions) {
  const own = new Uint8Array(ran.length);
  for (const { ranges } of functions)
    for (const { startOffset, endOffset, count } of ranges) own.fill(count > 0 ? 1 : 0, startOffset, endOffset);
  for (let i = 0; i < ran.length; i++) ran[i] |= own[i];
}

function addLines(lines, url, { map, ran }) {
  const source = new SourceMap(map.data);
  let offset = 0;
  for (const [line, length] of map.lineLengths.entries()) {
    for (let column = 0; column < length; column++) {
      if (!ran[offset + column]) continue;
      const entry = source.findEntry(line, column);
      if (entry.generatedLine !== line || entry.generatedColumn !== column) continue;
      const file = fileURLToPath(new URL(entry.originalSource, url));
      if (!lines.has(file)) lines.set(file, new Set());
      lines.get(file).add(entry.originalLine + 1);
    }
    offset += length + 1;
  }
}
