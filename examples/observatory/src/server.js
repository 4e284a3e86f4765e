import { createServer } from "node:http";
import { route } from "./routes.js";
import { endGracefully } from "./signals.js";
import { upgrade } from "./web-socket.js";

const server = createServer((request, response) => {
  Promise.resolve(route(request, response)).catch((error) => {
    console.error(`${request.method} ${request.url} failed: ${error.stack}`);
    if (response.headersSent) response.destroy();
    else response.writeHead(500, { "content-type": "text/plain" }).end(`${error.message}\n`);
  });
});
server.on("upgrade", upgrade);
server.listen(Number(process.env.PORT ?? 3000), () => console.log(`listening on ${server.address().port}`));
endGracefully(server);
