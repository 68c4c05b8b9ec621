// What the servers by Node answer where it is more than a line; see content.py.
"use strict";

let large;
exports.big = () => (large ??= Buffer.alloc(4 * 1024 * 1024, "b"));
exports.path = () => process.env.BENCHMARK_FILE;

const PIECE = Buffer.alloc(4096, "s");
const PIECES = 16;

exports.pieces = function* pieces() {
  for (let n = 0; n < PIECES; n += 1) yield PIECE;
};

// Write every piece, as fast as the peer takes them.
exports.stream = async function stream(response) {
  for (const piece of exports.pieces()) {
    if (response.destroyed) return;
    if (!response.write(piece)) {
      await new Promise((resolve) => { response.once("drain", resolve); });
    }
  }
  response.end();
};

// The answer to an order, or null: of Node and Express neither can check what came.
exports.counted = function counted(order) {
  if (!isOrder(order)) return null;
  const count = order.lines.reduce((sum, line) => sum + line.count, 0);
  return { id: order.id, count };
};

function isOrder(value) {
  return value !== null && typeof value === "object"
    && Number.isSafeInteger(value.id)
    && typeof value.name === "string" && value.name.length <= 100
    && Array.isArray(value.lines) && value.lines.every(isLine);
}

function isLine(value) {
  return value !== null && typeof value === "object"
    && typeof value.sku === "string" && Number.isSafeInteger(value.count);
}
