// The work of the comparison of WebSockets, by Node's ws at the port named first.

'use strict';

const { WebSocketServer } = require('ws');

const server = new WebSocketServer({ host: '127.0.0.1', port: Number(process.argv[2]) });

server.on('connection', (socket, request) => {
  socket.room = request.url === '/room';
  socket.on('error', () => socket.terminate());
  socket.on('message', (message, binary) => {
    const hearers = socket.room ? server.clients : [socket];
    for (const each of hearers) each.send(message, { binary });
  });
});

process.on('SIGTERM', () => process.exit(0));
