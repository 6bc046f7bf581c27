// graphile-worker as its documentation shows it: a task that publishes; jobs that a dead worker held are unlocked.
import { writeFileSync } from "node:fs"
import { makeWorkerUtils, run, Logger } from "graphile-worker"

const connectionString = process.env.PEER_URL
const logger = new Logger(() => () => undefined)
const utils = await makeWorkerUtils({ connectionString, logger })
await utils.migrate()
const held = await utils.withPgClient((client) =>
  client.query("SELECT DISTINCT locked_by FROM graphile_worker.jobs WHERE locked_by IS NOT NULL"),
)
if (held.rows.length) await utils.forceUnlockWorkers(held.rows.map((row) => row.locked_by))
await utils.release()

async function publish({ url, did, token, text }) {
  const record = { $type: "app.bsky.feed.post", text, createdAt: "2030-01-01T00:00:00.000Z" }
  const answer = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify({ repo: did, collection: "app.bsky.feed.post", record }),
  })
  if (!answer.ok) throw new Error(`answered ${answer.status}`)
  await answer.text()
}

const runner = await run({ connectionString, logger, concurrency: 32, pollInterval: 500, maxPoolSize: 20, taskList: { publish } })
writeFileSync(process.argv[process.argv.indexOf("--ready-file") + 1], "{}")
await runner.promise
