// The work of the comparison, by Fastify, with its types checked by its schemas.
"use strict";
const nodePath = require("node:path");
const { Readable } = require("node:stream");
const fastify = require("fastify");
const { path, pieces } = require("./content.js");
const serve = require("./serve.js");

const object = (properties) => ({
  type: "object", required: Object.keys(properties), properties,
});
const integer = { type: "integer" };
const text = { type: "string" };
const message = { response: { 200: object({ message: text }) } };
const user = {
  params: object({ id: integer }), response: { 200: object({ id: integer }) },
};
const order = {
  body: object({
    id: integer,
    name: { type: "string", maxLength: 100 },
    lines: { type: "array", items: object({ sku: text, count: integer }) },
  }),
  response: { 200: object({ id: integer, count: integer }) },
};

function counted(request) {
  const { id, lines } = request.body;
  return { id, count: lines.reduce((sum, line) => sum + line.count, 0) };
}

function build(options) {
  const app = fastify(options);
  const take = { parseAs: "buffer" };
  app.addContentTypeParser("*", take, (request, body, done) => done(null, body));
  app.get("/", (request, reply) => { reply.send("Hello, World!"); });
  app.get("/json", { schema: message }, (request, reply) => {
    reply.send({ message: "Hello, World!" });
  });
  app.get("/users/:id", { schema: user }, (request, reply) => {
    reply.send({ id: request.params.id });
  });
  app.post("/echo", (request, reply) => { reply.send(request.body); });
  app.post("/orders", { schema: order }, (request, reply) => {
    reply.send(counted(request));
  });
  app.get("/stream", (request, reply) => {
    reply.type("application/octet-stream");
    reply.send(Readable.from(pieces(), { objectMode: false }));
  });
  app.get("/file", (request, reply) => reply.sendFile(nodePath.basename(path())));
  if (path()) {
    app.register(require("@fastify/static"), {
      root: nodePath.dirname(path()), serve: false,
    });
  }
  return app;
}

serve((port, tls) => {
  const secure = { http2: true, https: { ...tls, allowHTTP1: true } };
  build(tls ? secure : {}).listen({ port, host: "127.0.0.1" });
});
