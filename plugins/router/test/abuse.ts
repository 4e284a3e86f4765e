import { HOST } from "./world.ts";

/** One way to abuse HTTP/1.1 framing. */
export interface Abuse {
  readonly name: string;
  /** Latin-1 text, sent as one write. */
  readonly bytes: string;
  /** Status of the first answer; null when the connection is just closed. */
  readonly status: number | readonly number[] | null;
  /** Paths that may reach the application: those of well-formed requests. */
  readonly reaches: readonly string[];
  /** Whether the connection has to end. */
  readonly closes: boolean;
}

const H = `Host: ${HOST}\r\n`;
/** What an attacker hides behind a badly framed request. */
const SMUGGLED = `GET /smuggled HTTP/1.1\r\n${H}\r\n`;

function refused(name: string, bytes: string, status: number | readonly number[] = 400): Abuse {
  return { name, bytes, status, reaches: [], closes: true };
}

function taken(name: string, bytes: string, options: { status?: number; reaches?: readonly string[]; closes?: boolean } = {}): Abuse {
  return { name, bytes, status: options.status ?? 200, reaches: options.reaches ?? ["/a"], closes: options.closes ?? false };
}

function chunked(name: string, body: string): Abuse {
  return refused(name, `POST /a HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\n\r\n${body}${SMUGGLED}`);
}

function coding(name: string, lines: string, status: number | readonly number[] = 400): Abuse {
  return refused(name, `POST /a HTTP/1.1\r\n${H}${lines}\r\n\r\n0\r\n\r\n${SMUGGLED}`, status);
}

function header(name: string, lines: string, status: number | readonly number[] = 400): Abuse {
  return refused(name, `GET /a HTTP/1.1\r\n${H}${lines}\r\n\r\n${SMUGGLED}`, status);
}

function length(name: string, value: string): Abuse {
  return refused(name, `POST /a HTTP/1.1\r\n${H}Content-Length:${value}\r\n\r\nab${SMUGGLED}`);
}

function line(name: string, first: string, status: number | readonly number[] = 400): Abuse {
  return refused(name, `${first}\r\n${H}\r\n${SMUGGLED}`, status);
}

function host(name: string, lines: string): Abuse {
  return refused(name, `GET /a HTTP/1.1\r\n${lines}\r\n${SMUGGLED}`);
}

export const ABUSES: readonly Abuse[] = [
  // Two lengths.
  coding("CL.TE", "Content-Length: 4\r\nTransfer-Encoding: chunked"),
  coding("TE.CL", "Transfer-Encoding: chunked\r\nContent-Length: 4"),
  coding("CL of zero and TE", "Content-Length: 0\r\nTransfer-Encoding: chunked"),
  coding("CL, TE in odd case", "cOnTeNt-LeNgTh: 4\r\ntRANSFER-eNCODING: chunked"),
  coding("two different CL", "Content-Length: 2\r\nContent-Length: 3"),
  coding("two equal CL", "Content-Length: 2\r\nContent-Length: 2"),
  // The transfer coding in disguise.
  coding("space before the colon of TE", "Transfer-Encoding : chunked"),
  coding("tab before the colon of TE", "Transfer-Encoding\t: chunked"),
  coding("xchunked", "Transfer-Encoding: xchunked"),
  coding("chunked in quotes", 'Transfer-Encoding: "chunked"'),
  coding("chunked with a parameter", "Transfer-Encoding: chunked;q=1"),
  coding("chunked after a vertical tab", "Transfer-Encoding: \x0bchunked"),
  coding("chunked before a tab", "Transfer-Encoding: chunked\t"),
  coding("chunked with a NUL", "Transfer-Encoding: chunked\0"),
  coding("chunked, then another coding", "Transfer-Encoding: chunked, gzip"),
  coding("chunked, then identity", "Transfer-Encoding: chunked, identity"),
  coding("another coding, then chunked", "Transfer-Encoding: gzip, chunked", [400, 501]),
  coding("an empty element, then chunked", "Transfer-Encoding: , chunked", [400, 501]),
  coding("identity", "Transfer-Encoding: identity"),
  coding("an empty TE", "Transfer-Encoding:", [400, 501]),
  coding("TE twice", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"),
  coding("TE identity, TE chunked", "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", [400, 501]),
  coding("TE chunked, TE x", "Transfer-Encoding: chunked\r\nTransfer-Encoding: x"),
  coding("TE in a folded line", "Transfer-Encoding:\r\n chunked"),
  coding("TE behind a bare LF", "X: y\nTransfer-Encoding: chunked"),
  coding("TE behind a bare CR", "X: y\rTransfer-Encoding: chunked"),
  refused("TE in HTTP/1.0", `POST /a HTTP/1.0\r\n${H}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`),
  // Lengths that are none.
  length("CL with a plus", " +2"),
  length("CL with a minus", " -2"),
  length("CL in hexadecimal", " 0x2"),
  length("CL as a list", " 2, 2"),
  length("CL with a space within", " 1 2"),
  length("CL as a fraction", " 2.0"),
  length("CL in letters", " two"),
  length("CL that is empty", ""),
  length("CL beyond 64 bits", " 18446744073709551618"),
  refused("CL with a space before the colon", `POST /a HTTP/1.1\r\n${H}Content-Length : 2\r\n\r\nab${SMUGGLED}`),
  refused("CL beyond the limit", `POST /a HTTP/1.1\r\n${H}Content-Length: 9007199254740993\r\n\r\nab`, 413),
  taken("CL after many spaces", `POST /a HTTP/1.1\r\n${H}Content-Length:     2\r\n\r\nab`),
  taken("CL with leading zeros", `POST /a HTTP/1.1\r\n${H}Content-Length: 0002\r\n\r\nab`),
  // Chunks.
  chunked("chunk size with 0x", "0x2\r\nab\r\n0\r\n\r\n"),
  chunked("chunk size with a minus", "-2\r\nab\r\n0\r\n\r\n"),
  chunked("chunk size with a plus", "+2\r\nab\r\n0\r\n\r\n"),
  chunked("chunk size after a space", " 2\r\nab\r\n0\r\n\r\n"),
  chunked("chunk size before a space", "2 \r\nab\r\n0\r\n\r\n"),
  chunked("chunk size beyond 64 bits", "10000000000000002\r\nab\r\n0\r\n\r\n"),
  chunked("chunk size that is empty", "\r\nab\r\n0\r\n\r\n"),
  chunked("chunk size in other letters", "g\r\nab\r\n0\r\n\r\n"),
  chunked("chunk lines ended by LF", "2\nab\n0\n\n"),
  chunked("chunk data ended by LF", "2\r\nab\n0\r\n\r\n"),
  chunked("chunk longer than it says", "2\r\nabc\r\n0\r\n\r\n"),
  chunked("chunk without its end", "2\r\nab0\r\n\r\n"),
  chunked("chunk extension with a NUL", "2;f\0o\r\nab\r\n0\r\n\r\n"),
  chunked("chunk extension with a bare CR", "2;f\ro\r\nab\r\n0\r\n\r\n"),
  chunked("chunk extension ended by LF", "2;\nab\r\n0\r\n\r\n"),
  chunked("chunk extension that is empty", "2;\r\nab\r\n0\r\n\r\n"),
  chunked("last chunk ended by LF", "2\r\nab\r\n0\r\n\n"),
  chunked("trailer without a colon", "2\r\nab\r\n0\r\nbad\r\n\r\n"),
  chunked("trailer with Content-Length", "2\r\nab\r\n0\r\nContent-Length: 99\r\n\r\n"),
  chunked("trailer with Transfer-Encoding", "2\r\nab\r\n0\r\nTransfer-Encoding: chunked\r\n\r\n"),
  taken("chunk extension", `POST /a HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\n\r\n2;foo=bar\r\nab\r\n0\r\n\r\n`),
  taken(
    "trailer that tries to be a host",
    `POST /a HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\nHost: evil\r\nX-Request-Id: evil\r\n\r\n`,
  ),
  // Header lines.
  header("NUL in a value", "X: a\0b"),
  header("bare CR in a value", "X: a\rb"),
  header("control character in a value", "X: a\x01b"),
  header("DEL in a value", "X: a\x7fb"),
  header("line ended by a bare LF", "X: a\nY: b"),
  header("folded line", "X: a\r\n b"),
  header("line folded with a tab", "X: a\r\n\tb"),
  header("space in a name", "X Y: z"),
  header("space before the colon", "X : z"),
  header("empty name", ": z"),
  header("name with a parenthesis", "X(: z"),
  header("name with a high byte", "X\xe9: z"),
  header("name with a NUL", "X\0: z"),
  header("line without a colon", "Foo"),
  header("too many headers", "a: b\r\n".repeat(300).trimEnd(), 431),
  header("headers beyond the size", `X: ${"a".repeat(40_000)}`, 431),
  refused("space before the first header", `GET /a HTTP/1.1\r\n ${H}\r\n${SMUGGLED}`),
  refused("head ended by LF", `GET /a HTTP/1.1\r\n${H}\n${SMUGGLED}`),
  refused("all lines ended by LF", `GET /a HTTP/1.1\nHost: ${HOST}\n\n${SMUGGLED}`),
  refused("all lines ended by CR", `GET /a HTTP/1.1\rHost: ${HOST}\r\r${SMUGGLED}`),
  // Host.
  host("no Host", ""),
  host("two Hosts", `${H}Host: evil\r\n`),
  host("two equal Hosts", `${H}${H}`),
  host("an empty Host", "Host:\r\n"),
  host("a Host with a space", `Host: ${HOST} evil\r\n`),
  host("a Host list", `Host: ${HOST}, evil\r\n`),
  host("a Host with a path", `Host: ${HOST}/x\r\n`),
  host("a Host with a user", `Host: evil@${HOST}\r\n`),
  host("a Host with a port that is none", `Host: ${HOST}:80x\r\n`),
  host("a Host with a port beyond 65535", `Host: ${HOST}:70000\r\n`),
  host("a Host with an empty label", "Host: a..b\r\n"),
  host("a Host that is an open bracket", "Host: [::1\r\n"),
  host("a Host in a folded line", `Host:\r\n ${HOST}\r\n`),
  host("a space before Host's colon", `Host : ${HOST}\r\n`),
  refused("HTTP/1.0 with two Hosts", `GET /a HTTP/1.0\r\n${H}${H}\r\n`),
  // Request lines.
  line("HTTP/0.9 with a version", "GET /a HTTP/0.9", [400, 505]),
  line("HTTP/1.2", "GET /a HTTP/1.2", [400, 505]),
  line("HTTP/1.10", "GET /a HTTP/1.10"),
  line("HTTP/2.0", "GET /a HTTP/2.0", [400, 505]),
  line("lower-case http", "GET /a http/1.1"),
  line("space behind the version", "GET /a HTTP/1.1 "),
  line("tabs for spaces", "GET\t/a\tHTTP/1.1"),
  line("space before the method", " GET /a HTTP/1.1"),
  line("lower-case method", "get /a HTTP/1.1"),
  line("unknown method", "FOO /a HTTP/1.1"),
  line("method with a NUL", "G\0T /a HTTP/1.1"),
  line("a path without a slash", "GET a HTTP/1.1"),
  line("a fragment", "GET /a#b HTTP/1.1"),
  line("a control character in the path", "GET /a\x01 HTTP/1.1"),
  line("a NUL in the path", "GET /a\0 HTTP/1.1"),
  line("a high byte in the path", "GET /a\xe9 HTTP/1.1"),
  line("a star for GET", "GET * HTTP/1.1"),
  line("another scheme", "GET ftp://a/b HTTP/1.1", 421),
  line("https in plain text", `GET https://${HOST}/a HTTP/1.1`, 421),
  line("absolute form with a user", `GET http://evil@${HOST}/a HTTP/1.1`),
  line("absolute form without a host", "GET http:///a HTTP/1.1"),
  line("TRACE", "TRACE /a HTTP/1.1", 405),
  line("CONNECT", `CONNECT ${HOST}:80 HTTP/1.1`, 405),
  line("RTSP", "DESCRIBE rtsp://a/b RTSP/1.0", [400, 405, 421]),
  line("a target beyond the size", `GET /${"a".repeat(40_000)} HTTP/1.1`, [414, 431]),
  refused("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  refused("TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
  refused("junk", "hello\r\n\r\n"),
  refused("HTTP/0.9", "GET /a\r\n\r\n", [400, 505]),
  // What is well-formed and easily read wrong.
  taken("GET with a body", `GET /a HTTP/1.1\r\n${H}Content-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`),
  taken("GET with a chunked body", `GET /a HTTP/1.1\r\n${H}Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n`),
  taken("chunked in odd case", `POST /a HTTP/1.1\r\n${H}Transfer-Encoding: ChUnKeD\r\n\r\n2\r\nab\r\n0\r\n\r\n`),
  taken("empty lines before the request", `\r\n\r\nGET /a HTTP/1.1\r\n${H}\r\n`),
  taken("absolute form rules over Host", `GET http://${HOST}/a HTTP/1.1\r\nHost: evil\r\n\r\n`),
  taken("absolute form without a path", `GET http://${HOST}?x=1 HTTP/1.1\r\n${H}\r\n`, { reaches: ["/?x=1"] }),
  taken("Connection names Content-Length", `POST /a HTTP/1.1\r\n${H}Connection: content-length\r\nContent-Length: 2\r\n\r\nab`),
  taken("Connection names Host", `GET /a HTTP/1.1\r\n${H}Connection: host\r\n\r\n`),
  taken("two requests in one write", `GET /a HTTP/1.1\r\n${H}\r\nGET /b HTTP/1.1\r\n${H}\r\n`, { reaches: ["/a", "/b"] }),
  taken("junk behind a request", `GET /a HTTP/1.1\r\n${H}\r\njunk\r\n\r\n${SMUGGLED}`, { closes: true }),
  taken("a request behind Connection: close", `GET /a HTTP/1.1\r\n${H}Connection: close\r\n\r\n${SMUGGLED}`, { closes: true }),
  taken(
    "a badly framed request behind a good one",
    `GET /a HTTP/1.1\r\n${H}\r\nPOST /b HTTP/1.1\r\n${H}Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
    { closes: true },
  ),
  taken("a refused request that waits between two good ones", `GET /a HTTP/1.1\r\n${H}\r\nGET /b HTTP/1.1\r\n${H}${H}\r\n${SMUGGLED}`, {
    closes: true,
  }),
  taken("OPTIONS for all", `OPTIONS * HTTP/1.1\r\n${H}\r\n`, { reaches: [] }),
  taken("HTTP/1.0", `GET /a HTTP/1.0\r\n${H}\r\n`, { closes: true }),
  taken(
    "upgrade to h2c is not taken",
    `GET /a HTTP/1.1\r\n${H}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n`,
  ),
  taken(
    "upgrade to h2c with a body",
    `POST /a HTTP/1.1\r\n${H}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
  ),
  taken("upgrade in HTTP/1.0", `GET /a HTTP/1.0\r\n${H}Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n`, { closes: true }),
  refused(
    "upgrade to websocket with a body",
    `GET /a HTTP/1.1\r\n${H}Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: ${SMUGGLED.length}\r\n\r\n${SMUGGLED}`,
  ),
  refused(
    "upgrade with two lengths",
    `GET /a HTTP/1.1\r\n${H}Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${SMUGGLED}`,
  ),
  refused("an expectation that nobody meets", `POST /a HTTP/1.1\r\n${H}Expect: 200-maybe\r\nContent-Length: 2\r\n\r\nab`, 417),
];
