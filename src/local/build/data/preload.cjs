// Loaded into every Node program of a build (NODE_OPTIONS). Programs that know nothing of AWS_ENDPOINT_URL (SDK v2, fetch of an API's
// own URL) speak TLS to *.amazonaws.com; here that connection goes to the local cloud, in the clear over loopback. Nothing else changes.
'use strict';
const net = require('node:net');
const tls = require('node:tls');

const endpoint = process.env.FLOTILLA_ENDPOINT ? new URL(process.env.FLOTILLA_ENDPOINT) : undefined;
const AWS = /(^|\.)amazonaws\.com$/;

if (endpoint) {
  const connect = tls.connect;
  tls.connect = function (...args) {
    const options = args.find((arg) => typeof arg === 'object' && arg !== null) ?? {};
    const host = options.servername || options.host || (typeof args[1] === 'string' ? args[1] : undefined);
    if (options.socket || !host || !AWS.test(host)) return connect.apply(this, args);
    const callback = args.find((arg) => typeof arg === 'function');
    const socket = net.connect({ host: endpoint.hostname, port: Number(endpoint.port) });
    socket.encrypted = true;
    socket.authorized = true;
    socket.alpnProtocol = false;
    socket.servername = host;
    socket.getPeerCertificate = () => ({});
    socket.getSession = () => undefined;
    socket.isSessionReused = () => false;
    socket.setSession = () => {};
    socket.once('connect', () => {
      socket.emit('secure');
      socket.emit('secureConnect');
      callback?.();
    });
    return socket;
  };
}
