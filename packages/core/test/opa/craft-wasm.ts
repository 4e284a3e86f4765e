/** What a crafted policy does when it is asked. */
export type Behaviour =
  | { readonly does: "answer"; readonly result: string }
  | { readonly does: "trap" }
  | { readonly does: "loop" }
  | { readonly does: "fill-memory" }
  | { readonly does: "call"; readonly builtin: string };

const [BUILTINS_AT, ENTRYPOINTS_AT, RESULT_AT, HEAP_AT] = [1024, 2048, 4096, 131_072] as const;
const I32 = 0x7f;

/** A WebAssembly module with the exports of a compiled policy, written byte by byte: what no compiler of Rego would make. */
export function craftWasm(behaviour: Behaviour, { entrypoint = "helix/guardrails/decision" } = {}): Buffer {
  const builtins = behaviour.does === "call" ? { [behaviour.builtin]: 0 } : {};
  const result = behaviour.does === "answer" ? behaviour.result : "[]";
  const exported = [
    ["builtins", 1, constant(BUILTINS_AT)],
    ["entrypoints", 1, constant(ENTRYPOINTS_AT)],
    ["opa_json_dump", 2, [0x20, 0x00]],
    ["opa_malloc", 2, constant(HEAP_AT + 65_536)],
    ["opa_json_parse", 3, constant(1)],
    ["opa_heap_ptr_get", 1, constant(HEAP_AT)],
    ["opa_heap_ptr_set", 4, []],
    ["opa_eval", 5, EVALUATE[behaviour.does]],
  ] as const;
  const types = [
    [[I32, I32], [I32]],
    [[], [I32]],
    [[I32], [I32]],
    [[I32, I32], [I32]],
    [[I32], []],
    [Array<number>(7).fill(I32), [I32]],
  ] as const;
  return Buffer.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, list(types.map(([from, to]) => [0x60, ...list(from.map((one) => [one])), ...list(to.map((one) => [one]))]))),
    ...section(
      2,
      list([
        [...text("env"), ...text("memory"), 0x02, 0x00, 0x02],
        [...text("env"), ...text("opa_builtin0"), 0x00, 0x00],
      ]),
    ),
    ...section(3, list(exported.map(([, type]) => [type]))),
    ...section(6, list([1, 2].map((value) => [I32, 0x00, ...constant(value), 0x0b]))),
    ...section(
      7,
      list([
        ...exported.map(([name], i) => [...text(name), 0x00, i + 1]),
        [...text("opa_wasm_abi_version"), 0x03, 0x00],
        [...text("opa_wasm_abi_minor_version"), 0x03, 0x01],
      ]),
    ),
    ...section(10, list(exported.map(([, , body]) => sized([0x00, ...body, 0x0b])))),
    ...section(
      11,
      list([
        data(BUILTINS_AT, JSON.stringify(builtins)),
        data(ENTRYPOINTS_AT, JSON.stringify({ [entrypoint]: 0 })),
        data(RESULT_AT, result),
      ]),
    ),
  ]);
}

const EVALUATE: Readonly<Record<Behaviour["does"], readonly number[]>> = {
  answer: constant(RESULT_AT),
  trap: [0x00],
  // loop: br 0
  loop: [0x03, 0x40, 0x0c, 0x00, 0x0b, 0x00],
  // loop: if memory.grow(16) == -1 then unreachable; br 0
  "fill-memory": [0x03, 0x40, 0x41, 0x10, 0x40, 0x00, 0x41, 0x7f, 0x46, 0x04, 0x40, 0x00, 0x0b, 0x0c, 0x00, 0x0b, 0x00],
  call: [0x41, 0x00, 0x41, 0x00, 0x10, 0x00],
};

function constant(value: number): number[] {
  return [0x41, ...signed(value)];
}

function data(at: number, content: string): number[] {
  return [0x00, ...constant(at), 0x0b, ...sized([...Buffer.from(`${content}\0`)])];
}

function section(id: number, content: readonly number[]): number[] {
  return [id, ...sized(content)];
}

function list(items: readonly (readonly number[])[]): number[] {
  return [...unsigned(items.length), ...items.flat()];
}

function sized(content: readonly number[]): number[] {
  return [...unsigned(content.length), ...content];
}

function text(value: string): number[] {
  return sized([...Buffer.from(value)]);
}

/** LEB128. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: number): number[] {
  return value >= -0x40 && value < 0x40 ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(value >> 7)];
}
