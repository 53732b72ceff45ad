import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { canConnect, freePort, isHealthy } from './listening.ts'
import type { Target } from './targets/target.ts'

export type ServerProcess = { pid: number; port: number; stop(): Promise<void> }

export type StartOptions = {
  upstreamUrl: string
  profileDirectory?: string
  /** The server's output goes to this process's stderr instead of a file. */
  showLog?: boolean
  readyWithinMs?: number
}

/** The directory holds the server's data and log, and is removed with the server. */
type Launch = { child: ChildProcess; directory: string }

const profileWithinMs = 20_000
const launches = new Set<Launch>()

/**
 * Starts a target on a free port and waits until it is ready. Throws, with the end of its log, when it does not start.
 */
export async function startServer(target: Target, options: StartOptions): Promise<ServerProcess> {
  const port = await freePort()
  const launch = launchServer(target, port, options)
  const stop = () => end(launch, options.profileDirectory !== undefined)
  const deadline = Date.now() + (options.readyWithinMs ?? 120_000)
  if (await isReady(target, port, launch.child, deadline)) return { pid: launch.child.pid ?? 0, port, stop }
  const log = readFileSync(join(launch.directory, 'log'), 'utf8').trim().slice(-1500)
  await stop()
  throw new Error(`${target.name} did not start. The end of its log:\n${log}`)
}

function launchServer(target: Target, port: number, options: StartOptions): Launch {
  const { profileDirectory, upstreamUrl, showLog } = options
  const profile = profileDirectory === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileDirectory}`]
  const directory = mkdtempSync(join(tmpdir(), 'parley-bench-'))
  const log = openSync(join(directory, 'log'), 'w')
  const child = spawn(process.execPath, [...profile, ...target.command(port)], {
    detached: true, // a group of its own: child processes are counted and ended with the server
    stdio: showLog ? ['ignore', 2, 2] : ['ignore', log, log],
    env: { ...environment(port, directory, upstreamUrl), ...target.env },
  })
  closeSync(log)
  const launch = { child, directory }
  launches.add(launch)
  return launch
}

/** Without the caller's own settings, so that a run is the same in every shell. */
const environment = (port: number, directory: string, upstreamUrl: string): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  HOME: process.env.HOME,
  NODE_ENV: 'production',
  HOST: '127.0.0.1',
  PORT: String(port),
  DATA_DIR: join(directory, 'data'),
  OPENAI_API_KEY: 'bench',
  OPENAI_BASE_URL: upstreamUrl,
})

const hasEnded = ({ exitCode, signalCode }: ChildProcess) => exitCode !== null || signalCode !== null

async function end(launch: Launch, gently: boolean) {
  const { child } = launch
  const exited = hasEnded(child) ? undefined : once(child, 'exit')
  if (gently) {
    child.kill('SIGTERM') // a profile is written only by a process that exits by itself
    await Promise.race([exited, sleep(profileWithinMs, undefined, { ref: false })])
  }
  remove(launch)
  await exited
}

function remove(launch: Launch) {
  launches.delete(launch)
  try {
    if (launch.child.pid !== undefined) process.kill(-launch.child.pid, 'SIGKILL')
  } catch {
    // the whole group has ended already
  }
  rmSync(launch.directory, { recursive: true, force: true, maxRetries: 3 })
}

process.on('exit', () => launches.forEach(remove))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))

async function isReady(
  target: Target,
  port: number,
  child: ChildProcess,
  deadline: number,
): Promise<boolean> {
  while (Date.now() < deadline && !hasEnded(child)) {
    const ready = target.readyPath === undefined ? canConnect(port) : isHealthy(port, target.readyPath)
    if (await ready) return true
    await sleep(50)
  }
  return false
}
