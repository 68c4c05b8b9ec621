// What the servers by Node share: the words they are started with, their workers and
// their end.  node SERVER PORT [--cert FILE --key FILE] [--workers N]
"use strict";
const cluster = require("node:cluster");
const fs = require("node:fs");
const { parseArgs } = require("node:util");

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    cert: { type: "string" },
    key: { type: "string" },
    workers: { type: "string" },
  },
});

// listen(port, tls) is called where requests are answered; tls is undefined for
// cleartext, or the certificate and its key as Node takes them.
module.exports = function serve(listen) {
  process.on("SIGTERM", () => process.exit(0));
  if (values.workers && cluster.isPrimary) {
    for (let n = 0; n < Number(values.workers); n += 1) cluster.fork();
    return;
  }
  const { cert, key } = values;
  const tls = cert && { cert: fs.readFileSync(cert), key: fs.readFileSync(key) };
  listen(Number(positionals[0]), tls);
};
