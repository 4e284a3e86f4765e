import { type KeyObject, createHash, generateKeyPairSync, sign } from "node:crypto";
import { gzipSync } from "node:zlib";
import { canonicalJson } from "../../src/domain/digest.ts";
import { type Behaviour, craftWasm } from "./craft-wasm.ts";

/** A bundle to be made: whole and rightly signed, but for what a test changes. */
export interface Craft {
  readonly key: KeyObject;
  readonly behaviour?: Behaviour;
  readonly entrypoint?: string;
  readonly mark?: Readonly<Record<string, unknown>>;
  /** Changes the files after they were signed. */
  readonly tamper?: (files: Map<string, Buffer>) => void;
  /** Changes the signature's words before they are signed. */
  readonly claims?: (claims: { files: { name: string; hash: string; algorithm: string }[]; exp?: number }) => void;
  readonly header?: Readonly<Record<string, unknown>>;
}

const ALLOWS: Behaviour = { does: "answer", result: JSON.stringify([{ result: { allow: true, findings: [] } }]) };

export function newKey(): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  return generateKeyPairSync("ec", { namedCurve: "P-256" });
}

/** The bundle as `opa build` would have written it. */
export function craftBundle({
  key,
  behaviour = ALLOWS,
  entrypoint = "team/decision",
  mark = {},
  tamper,
  claims: change,
  header = {},
}: Craft): Buffer {
  const manifest = {
    revision: "1",
    roots: [""],
    wasm: [{ entrypoint, module: "/policy.wasm" }],
    metadata: { helix: { name: "team", version: "1.0.0", serial: 1, ...mark } },
  };
  const files = new Map([
    [".manifest", Buffer.from(JSON.stringify(manifest))],
    ["data.json", Buffer.from("{}")],
    ["policy.wasm", craftWasm(behaviour, { entrypoint })],
  ]);
  const claims = { files: [...files].map(([name, content]) => ({ name, hash: hashOf(name, content), algorithm: "SHA-256" })) };
  change?.(claims);
  const signed = [{ alg: "ES256", typ: "JWT", ...header }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  const signature = sign("sha256", Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" }).toString("base64url");
  files.set(".signatures.json", Buffer.from(JSON.stringify({ signatures: [`${signed}.${signature}`] })));
  tamper?.(files);
  return gzipSync(Buffer.concat([...[...files].map(([name, content]) => tarEntry(`/${name}`, content)), Buffer.alloc(1024)]));
}

function hashOf(name: string, content: Buffer): string {
  const text = name === "policy.wasm" ? content : canonicalJson(JSON.parse(content.toString()));
  return createHash("sha256").update(text).digest("hex");
}

function tarEntry(name: string, content: Buffer): Buffer {
  const header = Buffer.alloc(512);
  const put = (at: number, value: string) => header.write(value, at, "ascii");
  put(0, name);
  put(100, "0000600\0");
  put(108, "0000000\0");
  put(116, "0000000\0");
  put(124, `${content.length.toString(8).padStart(11, "0")}\0`);
  put(136, "00000000000\0");
  put(148, "        ");
  put(156, "0");
  put(257, "ustar\0");
  put(263, "00");
  put(
    148,
    `${header
      .reduce((sum, byte) => sum + byte, 0)
      .toString(8)
      .padStart(6, "0")}\0 `,
  );
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}
