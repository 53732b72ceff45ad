import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { afterEach, describe, expect, it } from 'vitest'
import { LoopDelays, leastDisturbed } from './loop-delays.ts'

const children: ChildProcess[] = []

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

/** Runs a script under the monitor, to its end. */
const watched = async (script: string, before: readonly string[] = []): Promise<LoopDelays> => {
  const delays = new LoopDelays()
  delays.startOver()
  const command = [...before, process.execPath, ...delays.args, '--eval', script]
  const child = spawn(command[0] ?? '', command.slice(1), { env: { ...process.env, ...delays.env } })
  children.push(child)
  expect(await once(child, 'exit')).toEqual([0, null])
  return delays
}

const after = (ms: number, work: string): string => `setTimeout(() => { ${work} }, ${ms});`
/** CPU time, which other processes of this machine do not shorten. */
const CPU = 'const cpuMs = () => process.threadCpuUsage().user / 1000; const end = cpuMs() +'
const compute = (ms: number): string => `${CPU} ${ms}; while (cpuMs() < end);`
const sleepSynchronously = (ms: number): string =>
  `Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ${ms});`
const STAY = after(600, '')

/** A process beside it that uses the first core. */
const occupyFirstCore = (): void => {
  const script = 'for (;;);'
  children.push(spawn('taskset', ['-c', '0', process.execPath, '--eval', script], { stdio: 'ignore' }))
}

// What the machine withholds is taken off a wait, so that on a busy one less is left of it.
describe.runIf(process.platform === 'linux')('the monitor of event-loop delay', () => {
  it('reports 180 ms of computing', async () => {
    const delays = await watched(after(200, compute(180)) + STAY)
    expect(delays.longestMs).toBeGreaterThan(150)
    expect(() => delays.expectBelow(50)).toThrow('blocked for more than 50 ms')
  })

  it('reports 120 ms of waiting for a synchronous call, which uses no CPU', async () => {
    const delays = await watched(after(200, sleepSynchronously(120)) + STAY)
    expect(delays.longestMs).toBeGreaterThan(100)
  })

  it('reports 120 ms of promises that never let the loop come round', async () => {
    const spin = `${CPU} 120; const step = async () => { if (cpuMs() < end) await null, await step() }; void step()`
    const delays = await watched(after(200, spin) + STAY)
    expect(delays.longestMs).toBeGreaterThan(100)
  })

  it('fails a check of a process that has not been measured', () => {
    const delays = new LoopDelays()
    expect(() => delays.expectBelow(50)).toThrow('has not been measured')
    delays.startOver()
    expect(() => delays.expectBelow(50)).toThrow('has not been measured')
  })

  it('measures nothing until it is asked to', async () => {
    const delays = new LoopDelays()
    const child = spawn(process.execPath, [...delays.args, '--eval', after(200, compute(120)) + STAY], {
      env: { ...process.env, ...delays.env },
    })
    children.push(child)
    await once(child, 'exit')
    expect(delays.isMeasuring).toBe(false)
  })

  it('reports nothing of a process that yields', async () => {
    const delays = await watched(STAY)
    delays.expectBelow(50)
  })

  it('forgets what came before it was asked to start over', async () => {
    const delays = await watched(after(200, compute(120)) + STAY)
    delays.startOver()
    expect(delays.longestMs).toBe(0)
  })

  it('does not report the time for which the machine gave the core to others', async () => {
    for (let count = 0; count < 2; count++) occupyFirstCore()
    await leastDisturbed(async () => {
      const delays = await watched(`setInterval(() => { ${compute(3)} }, 10).unref(); ${after(2_000, '')}`, [
        'taskset',
        '-c',
        '0',
        'nice',
        '-n',
        '5',
      ])
      delays.expectBelow(50)
    }, 5)
  })
})
