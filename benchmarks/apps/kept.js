// The work of the comparison of sessions, by express-session: in memory, or in Redis
// where its URL is given.
"use strict";
const express = require("express");
const session = require("express-session");

async function redis(url) {
  const { RedisStore } = require("connect-redis");
  const client = require("redis").createClient({ url });
  await client.connect();
  return new RedisStore({ client });
}

async function main(port, url) {
  const app = express();
  app.get("/none", (request, response) => response.send("known"));
  // As its documentation advises: nothing is saved that has not changed.
  app.use(session({
    store: url ? await redis(url) : undefined,
    secret: "a secret of the comparison",
    resave: false,
    saveUninitialized: false,
  }));
  app.get("/load", (request, response) =>
    response.send(request.session.visits ? "known" : "unknown"));
  app.get("/save", (request, response) => {
    const visits = request.session.visits ?? 0;
    request.session.visits = visits + 1;
    response.send(visits ? "known" : "unknown");
  });
  app.listen(Number(port), "127.0.0.1");
}

process.on("SIGTERM", () => process.exit(0));
main(...process.argv.slice(2));
