// One PLC directory and one PDS on 127.0.0.1, for as long as standard input stays open.
//
//   node network.mjs <folder that holds node_modules> <data folder, removed on exit>
//
// Every PDS_* variable of the environment wins over the value chosen here. Once both servers answer, one line of
// JSON is printed: {"plc": <address>, "pds": <address>}.
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, data] = process.argv.slice(2);
const resolver = createRequire(join(modules, 'package.json'));
const load = (name) => import(pathToFileURL(resolver.resolve(name)));

// A PDS writes its own address into what it stores, so the port must be known before the PDS exists. An open socket
// keeps the port ours until the server takes it over; it also fixes the interface, which neither server lets us choose.
async function openPort() {
  const socket = createServer().listen(0, '127.0.0.1');
  await once(socket, 'listening');
  return { socket, port: socket.address().port };
}

const address = ({ port }) => `http://localhost:${port}`;

async function serve(app, { socket }) {
  const server = app.listen(socket);
  if (!server.listening) await once(server, 'listening');
  return server;
}

async function startDirectory() {
  const { default: exported, ...named } = await load('@did-plc/server');
  const { Database, PlcServer } = exported?.PlcServer ? exported : named;
  const place = await openPort();
  await serve(PlcServer.create({ db: Database.mock(), port: place.port }).app, place);
  return address(place); // by name: the PDS never fetches from a bare IP address, and would leave out `didDoc`
}

function settings(port, plc) {
  return {
    PDS_PORT: String(port),
    PDS_HOSTNAME: 'localhost',
    PDS_DEV_MODE: 'true',
    PDS_DID_PLC_URL: plc,
    PDS_DATA_DIRECTORY: join(data, 'accounts'),
    PDS_BLOBSTORE_DISK_LOCATION: join(data, 'blobs'),
    PDS_BLOBSTORE_DISK_TMP_LOCATION: join(data, 'uploads'),
    PDS_SERVICE_HANDLE_DOMAINS: '.test',
    PDS_INVITE_REQUIRED: 'false',
    PDS_ENABLE_DID_DOC_WITH_SESSION: 'true',
    PDS_JWT_SECRET: randomBytes(16).toString('hex'),
    PDS_DPOP_SECRET: randomBytes(32).toString('hex'),
    PDS_ADMIN_PASSWORD: randomBytes(16).toString('hex'),
    PDS_PLC_ROTATION_KEY_K256_PRIVATE_KEY_HEX: randomBytes(32).toString('hex'),
  };
}

async function startPds(plc) {
  const place = await openPort();
  process.env = { ...settings(place.port, plc), ...process.env };
  for (const folder of ['accounts', 'blobs', 'uploads']) mkdirSync(join(data, folder), { recursive: true });
  const { PDS } = await load('@atproto/pds');
  const pds = await PDS.fromEnv();
  await pds.ctx.sequencer.start();
  const server = await serve(pds.app, place);
  server.keepAliveTimeout = 90_000; // what the PDS sets when it listens itself
  return { pds, server, url: address(place) };
}

let running;
let leaving = false;
async function leave() {
  if (leaving) return;
  leaving = true;
  const gone = () => {
    rmSync(data, { recursive: true, force: true });
    process.exit(0);
  };
  setTimeout(gone, 2000);
  running?.server.close();
  running?.server.closeAllConnections();
  await running?.pds.destroy().catch(() => {});
  gone();
}

process.stdin.resume().on('end', leave).on('close', leave);
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, leave);

const plc = await startDirectory();
running = await startPds(plc);
console.log(JSON.stringify({ plc, pds: running.url }));
