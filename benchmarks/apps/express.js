// The work of the comparison, by Express.
"use strict";
const https = require("node:https");
const express = require("express");
const session = require("express-session");
const { counted, path, stream } = require("./content.js");
const serve = require("./serve.js");

const app = express();

app.get("/", (request, response) => response.type("text").send("Hello, World!"));
app.get("/json", (request, response) => response.json({ message: "Hello, World!" }));
app.get("/users/:id", (request, response) => {
  if (/^\d+$/.test(request.params.id)) response.json({ id: Number(request.params.id) });
  else response.sendStatus(404);
});
app.post("/echo", express.raw({ type: () => true }), (request, response) =>
  response.send(request.body));

app.post("/orders", express.json(), (request, response) => {
  const found = counted(request.body);
  if (found) response.json(found);
  else response.sendStatus(400);
});

app.get("/stream", (request, response) => {
  response.type("application/octet-stream");
  return stream(response);
});
app.get("/file", (request, response) => response.sendFile(path()));

// As its documentation advises: nothing is saved that has not changed.
const visited = session({
  secret: "a secret of the comparison", resave: false, saveUninitialized: false,
});
app.get("/session", visited, (request, response) => {
  const visits = request.session.visits ?? 0;
  request.session.visits = visits + 1;
  response.send(visits ? "known" : "unknown");
});

serve((port, tls) => {
  const server = tls ? https.createServer(tls, app) : app;
  server.listen(port, "127.0.0.1");
});
