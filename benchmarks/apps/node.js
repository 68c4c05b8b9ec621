// The work of the comparison, by Node's own http, or by its http2 for TLS: that hands
// a connection of HTTP/1.1 on to http.
"use strict";
const fs = require("node:fs");
const http = require("node:http");
const http2 = require("node:http2");
const { pipeline } = require("node:stream");
const { big, counted, path, stream } = require("./content.js");
const serve = require("./serve.js");

const TEXT = "text/plain; charset=utf-8";
const JSON_TYPE = "application/json";
const OCTETS = "application/octet-stream";
const USER = /^\/users\/(\d+)$/;

function answer(response, status, type, body) {
  response.writeHead(status, {
    "Content-Type": type,
    "Content-Length": Buffer.byteLength(body),
  });
  response.end(body);
}

function taken(request, use) {
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => use(Buffer.concat(pieces)));
}

function parsed(body) {
  try {
    return JSON.parse(body);
  } catch {
    return null;
  }
}

function count(request, response) {
  taken(request, (body) => {
    const found = counted(parsed(body));
    if (found) answer(response, 200, JSON_TYPE, JSON.stringify(found));
    else answer(response, 400, TEXT, "");
  });
}

async function file(response) {
  const { size } = await fs.promises.stat(path());
  response.writeHead(200, { "Content-Type": OCTETS, "Content-Length": size });
  pipeline(fs.createReadStream(path()), response, () => {});
}

function upload(request, response) {
  let length = 0;
  request.on("data", (piece) => { length += piece.length; });
  request.on("end", () => answer(response, 200, TEXT, String(length)));
}

function parameter(url, response) {
  const user = USER.exec(url);
  if (user) answer(response, 200, JSON_TYPE, JSON.stringify({ id: Number(user[1]) }));
  else answer(response, 404, TEXT, "");
}

// A switch, for nothing that Node could be spared is to be counted as its own.
function handle(request, response) {
  switch (request.url) {
    case "/": return answer(response, 200, TEXT, "Hello, World!");
    case "/json": return answer(
      response, 200, JSON_TYPE, JSON.stringify({ message: "Hello, World!" }));
    case "/echo": return taken(request, (body) => answer(response, 200, OCTETS, body));
    case "/orders": return count(request, response);
    case "/stream":
      response.writeHead(200, { "Content-Type": OCTETS });
      return stream(response);
    case "/file": return file(response);
    case "/big": return answer(response, 200, OCTETS, big());
    case "/upload": return upload(request, response);
    default: return parameter(request.url, response);
  }
}

serve((port, tls) => {
  const server = tls
    ? http2.createSecureServer({ ...tls, allowHTTP1: true }, handle)
    : http.createServer(handle);
  server.listen(port, "127.0.0.1");
});
