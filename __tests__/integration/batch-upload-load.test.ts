import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BatchClient } from '../support/batch.ts'
import { GatewayProcess } from '../support/gateway.ts'
import { leastDisturbed, TooLong } from '../support/loop-delays.ts'
import { slowness } from '../support/machine-speed.ts'

const BYTES = 45_000_000
const TICKS_PER_SECOND = 100

const filled = (piece: string, bytes = BYTES): Buffer => Buffer.alloc(bytes, piece)
const headed = (head: string, piece: string): Buffer => Buffer.concat([Buffer.from(head), filled(piece)])

/** Seconds of CPU that a process has used, by all of its threads. */
const cpuOf = (pid: number): number => {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND
}

describe('an upload of 45 MB', () => {
  let gateway: GatewayProcess
  let client: BatchClient

  beforeAll(async () => {
    gateway = await GatewayProcess.start('native', { ENABLE_RATE_LIMITING: 'false', BATCH_WORKER: 'false' })
    client = new BatchClient(gateway.url)
    for (const name of ['a.csv', 'a.json', 'a.jsonl', 'a.txt'])
      for (let round = 0; round < 3; round += 1) await client.upload({ [name]: filled('1\n', 500_000) })
  })
  afterAll(() => gateway?.stop())

  it.each<[string, string, Buffer, RegExp]>([
    ['blank lines', 'a.csv', filled('\n'), /1,048,576 rows without content/],
    ['blank lines', 'a.jsonl', filled('\n'), /has no items/],
    ['blank lines of Windows', 'a.jsonl', filled('\r\n'), /has no items/],
    ['lines of spaces', 'a.jsonl', filled(' \n'), /has no items/],
    ['lines of wide spaces', 'a.jsonl', filled('\u3000\n'), /1,048,576 blank lines/],
    ['white space', 'a.json', filled('\n '), /ends too early/],
    ['white space in a list', 'a.json', headed('[', '\n '), /ends too early/],
    ['blank lines', 'a.txt', filled('\n'), /is longer than 1,000,000 bytes/],
    ['rows of commas', 'a.csv', headed('id,prompt\n', ',,,\n'), /1,048,576 rows without content/],
    ['commas', 'a.csv', filled(','), /longer than 1,000,000 characters/],
    ['an open quote', 'a.csv', headed('prompt\n"', 'x\n'), /longer than 1,000,000 characters/],
    ['one-letter rows', 'a.csv', headed('prompt\n', 'x\n'), /more than 50,000 items/],
    ['empty objects', 'a.jsonl', filled('{}\n'), /more|needs "prompt"/],
    ['brackets', 'a.json', filled('['), /ends too early/],
    ['ones in a list', 'a.json', headed('[1', ',1'), /needs "prompt"|ends before/],
  ])(
    'of %s in %s is refused for less than 2 s of CPU, the event loop never blocked for 50 ms',
    (_, name, content, message) =>
      leastDisturbed(async () => {
        await gateway.watchLoop()
        const begun = cpuOf(gateway.pid)
        const answer = await client.upload({ [name]: content })
        const used = cpuOf(gateway.pid) - begun
        expect((await answer.json()).error.message).toMatch(message)
        expect(answer.status).toBe(400)
        if (used / slowness() >= 2) throw new TooLong(`This took ${used} s of CPU.`)
        const delays = await gateway.loopDelays()
        delays.expectBelow(50)
      }),
  )
})
