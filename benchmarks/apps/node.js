// The work of the comparison, by Node's own http module.
"use strict";
const http = require("node:http");

const TEXT = "text/plain; charset=utf-8";
const JSON_TYPE = "application/json";
const USER = /^\/users\/(\d+)$/;

function answer(response, status, type, body) {
  response.writeHead(status, {
    "Content-Type": type,
    "Content-Length": Buffer.byteLength(body),
  });
  response.end(body);
}

const server = http.createServer((request, response) => {
  const { method, url } = request;
  if (url === "/") {
    answer(response, 200, TEXT, "Hello, World!");
  } else if (url === "/json") {
    answer(response, 200, JSON_TYPE, JSON.stringify({ message: "Hello, World!" }));
  } else if (method === "POST" && url === "/echo") {
    const pieces = [];
    request.on("data", (piece) => pieces.push(piece));
    request.on("end", () =>
      answer(response, 200, "application/octet-stream", Buffer.concat(pieces)));
  } else {
    const user = USER.exec(url);
    if (user) {
      answer(response, 200, JSON_TYPE, JSON.stringify({ id: Number(user[1]) }));
    } else {
      answer(response, 404, TEXT, "");
    }
  }
});

server.listen(Number(process.argv[2]), "127.0.0.1");
process.on("SIGTERM", () => process.exit(0));
