export function json(response, document, status = 200) {
  const body = `${JSON.stringify(document)}\n`;
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(body) }).end(body);
}
