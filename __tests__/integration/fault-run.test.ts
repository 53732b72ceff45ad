import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { json } from '../support/chat.ts'
import { FakeUpstream } from '../support/fake-upstream.ts'
import { type ClientCall, Mortal } from '../support/fault-clients.ts'
import { type LedgerOnDisk, MOST_LOST_MS, reportOf } from '../support/fault-report.ts'
import { FaultBooks, MODELS, PRICE } from '../support/fault-upstream.ts'
import { GatewayProcess } from '../support/gateway.ts'
import { oneOf, sizeFrom } from '../support/load.ts'
import { PostgresServer } from '../support/postgres.ts'
import { seededRandom } from '../support/seeded-random.ts'

const SECONDS = sizeFrom('FAULT_RUN_SECONDS', 20)
const SEED = sizeFrom('FAULT_RUN_SEED', 20_261_128)
const A_SECOND = 50
const IS_LONG = SECONDS > 60
const KILLED_EVERY_SECONDS = IS_LONG ? 15 : 4
/** The second of the last kill: early in a short run, which waits for the reservations of the killed process. */
const LAST_KILL_SECONDS = IS_LONG ? SECONDS - 15 : SECONDS / 2
/** The longest that a call may take, with all its retries. */
const LONGEST_CALL_MS = 8_000
/** Reservations of a killed process end after 20 s; they are looked for every 5 s. */
const FREED_WITHIN_MS = 40_000
const ADMIN_TOKEN = 'q7Vt2mXc9LpR4sZk8HwJ1nYb'
const AS_ADMIN = { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' }
const ATTEMPTS = 'select request_id, outcome, cost_nano, output, estimated from ledger_attempts'
const REQUESTS = 'select request_id, outcome from ledger_requests'

const configOf = (directory: string): string => {
  const path = join(directory, 'gateway.json')
  const models = MODELS.map(id => ({ id, provider: 'openai', usdPerMillion: PRICE }))
  writeFileSync(path, JSON.stringify({ models }))
  return path
}

const sqliteLedger = (directory: string): LedgerOnDisk => {
  const file = new DatabaseSync(join(directory, 'parley.db'), { readOnly: true })
  const all = (query: string) => file.prepare(query).all() as never
  try {
    return { attempts: all(ATTEMPTS), requests: all(REQUESTS) }
  } finally {
    file.close()
  }
}
const numbers = (row: Record<string, unknown>) => ({
  ...row,
  cost_nano: Number(row.cost_nano),
  output: Number(row.output),
  estimated: Number(row.estimated),
})
const postgresLedger = async (postgres: PostgresServer, database: string): Promise<LedgerOnDisk> => ({
  attempts: (await postgres.do(database, ATTEMPTS)).map(numbers) as never,
  requests: (await postgres.do(database, REQUESTS)) as never,
})

const makeKey = async (url: string, owner: string): Promise<string> => {
  const body = JSON.stringify({ name: owner, owner, budgetUsd: { day: 1_000 } })
  const answer = await fetch(`${url}/api/admin/keys`, { method: 'POST', headers: AS_ADMIN, body })
  return (await json(answer)).key
}
const setBudget = (url: string): Promise<Response> =>
  fetch(`${url}/api/admin/budgets/all`, { method: 'PUT', headers: AS_ADMIN, body: '{"day": 5000}' })
const reservedOf = async (url: string): Promise<string> =>
  (await json(await fetch(`${url}/api/admin/budgets/all`, { headers: AS_ADMIN }))).day.reservedNanoUsd

/** The sums of all usage, by a gateway that has just started. */
const usageAfter = async (env: Record<string, string>) => {
  const gateway = await GatewayProcess.start('native', env)
  try {
    return await json(await fetch(`${gateway.url}/api/admin/usage`, { headers: AS_ADMIN }))
  } finally {
    await gateway.stop()
  }
}

describe(`${SECONDS} seconds at ${A_SECOND} requests a second with 10 % of faults, seed ${SEED}`, () => {
  let postgres: PostgresServer
  beforeAll(async () => {
    postgres = await PostgresServer.start()
  })
  afterAll(async () => {
    await postgres?.remove()
  })

  /** Asks at an even pace, and kills one gateway after the other. Resolves when all answers have ended. */
  const load = async (
    mortals: readonly Mortal[],
    keys: readonly string[],
    random: () => number,
  ): Promise<ClientCall[]> => {
    const calls: ClientCall[] = []
    const running: Promise<void>[] = []
    const startedAt = performance.now()
    let kills = 0
    for (let number = 0; number < SECONDS * A_SECOND; number += 1) {
      const second = number / A_SECOND
      const wait = startedAt + second * 1_000 - performance.now()
      if (wait > 0) await sleep(wait)
      if (second >= (kills + 1) * KILLED_EVERY_SECONDS && second <= LAST_KILL_SECONDS) {
        const victim = mortals[kills % mortals.length]
        if (victim) running.push(victim.killAndStart())
        kills += 1
      }
      const mortal = oneOf(mortals, random())
      const key = oneOf(keys, random()) ?? ''
      if (!mortal?.life) continue
      const call: ClientCall = { id: `call-${number}`, life: mortal.life, textBytes: 0 }
      calls.push(call)
      running.push(mortal.ask(call, key, random))
    }
    await Promise.all(running)
    return calls
  }

  it.for([
    ['SQLite and one process', 1],
    ['Postgres and two processes', 2],
  ] as const)(
    'charge each completed call once, to the nanodollar, on %s, while calls fail, clients leave and SIGKILLs come',
    { timeout: (SECONDS + 180) * 1_000 },
    async ([name, processes], { expect }) => {
      const random = seededRandom(SEED)
      const books = new FaultBooks(seededRandom(SEED + 1))
      const upstream = (await FakeUpstream.start()).usually(books.answers)
      const directory = mkdtempSync(join(tmpdir(), 'parley-faults-'))
      const database = processes > 1 ? await postgres.database() : undefined
      const env = {
        ADMIN_TOKEN,
        OPENAI_API_KEY: 'sk-test',
        OPENAI_BASE_URL: upstream.baseUrl,
        ENABLE_RATE_LIMITING: 'false',
        SHUTDOWN_GRACE_SECONDS: '2',
        BREAKER_FAILURES: '1000',
        IDLE_TIMEOUT_MS: '3000',
        FIRST_TOKEN_TIMEOUT_MS: '4000',
        REQUEST_TIMEOUT_MS: String(LONGEST_CALL_MS),
        DATA_DIR: directory,
        GATEWAY_CONFIG: configOf(directory),
        ...(database && { DATABASE_URL: database }),
      }
      const mortals: Mortal[] = [await Mortal.start(env)]
      try {
        while (mortals.length < processes) mortals.push(await Mortal.start(env))
        const [{ url } = { url: '' }] = mortals
        await setBudget(url)
        const keys = await Promise.all(['ada', 'ada', 'bob'].map(owner => makeKey(url, owner)))
        const calls = await load(mortals, keys, random)
        await expect.poll(() => reservedOf(url), { timeout: FREED_WITHIN_MS, interval: 500 }).toBe('0')
        for (const mortal of mortals) mortal.gateways.at(-1)?.signal('SIGTERM')
        await Promise.all(mortals.map(mortal => mortal.gateways.at(-1)?.exited()))
        // Rows are due 100 ms after the money is settled: the sums are asked for when all of them are written.
        const usage = await usageAfter(env)

        const ledger = database
          ? await postgresLedger(postgres, new URL(database).pathname.slice(1))
          : sqliteLedger(directory)
        const { faults, ...figures } = reportOf(calls, books, ledger)
        const kills = mortals.reduce((sum, { gateways }) => sum + gateways.length - 1, 0)
        process.stdout.write(
          `${SECONDS} s ${name}: ${JSON.stringify({ ...figures, kills, asked: books.count })}\n`,
        )
        expect(faults.slice(0, 5)).toEqual([])
        expect(kills).toBeGreaterThan(0)
        // While a gateway restarts, which takes longer on a slow machine, no calls are made to it.
        expect(figures.completed).toBeGreaterThan(calls.length / 2)
        expect(figures.completedTooLate).toBeLessThanOrEqual(calls.length / 1_000)
        expect(figures.oldestLostMs).toBeLessThanOrEqual(MOST_LOST_MS)
        const sum = ledger.attempts.reduce((total, { cost_nano: nano }) => total + nano, 0)
        expect(usage.total.costNanoUsd).toBe(String(sum))
      } finally {
        await Promise.all([...mortals.map(mortal => mortal.stop()), upstream.stop()])
      }
    },
  )
})
