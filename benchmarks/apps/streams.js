// The work of HTTP/2, by the streams of Node's http2: they are cheaper than requests
// and responses in the form of http, which node.js has.
"use strict";
const http2 = require("node:http2");
const { big } = require("./content.js");
const serve = require("./serve.js");

function answer(stream, status, type, body) {
  stream.respond({
    ":status": status,
    "content-type": type,
    "content-length": Buffer.byteLength(body),
  });
  stream.end(body);
}

function upload(stream) {
  let length = 0;
  stream.on("data", (piece) => { length += piece.length; });
  stream.on("end", () => answer(stream, 200, "text/plain", String(length)));
}

function handle(stream, headers) {
  switch (headers[":path"]) {
    case "/":
      return answer(stream, 200, "text/plain; charset=utf-8", "Hello, World!");
    case "/big": return answer(stream, 200, "application/octet-stream", big());
    case "/upload": return upload(stream);
    default: return answer(stream, 404, "text/plain", "");
  }
}

serve((port, tls) => {
  const server = tls ? http2.createSecureServer(tls) : http2.createServer();
  server.on("stream", handle);
  server.listen(port, "127.0.0.1");
});
