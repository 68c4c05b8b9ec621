// The work of the comparison by Node's cluster: cluster.js PORT WORKERS.
"use strict";
const cluster = require("node:cluster");

if (cluster.isPrimary) {
  for (let n = 0; n < Number(process.argv[3]); n += 1) cluster.fork();
  process.on("SIGTERM", () => process.exit(0));
} else {
  require("./node.js");
}
