import { lastPiece, messages } from '../conversation.ts'
import { startServer } from '../server-process.ts'
import { START_FLAGS } from '../start-flags.ts'
import type { Workload } from '../workloads.ts'
import { openaiRequest } from './openai-request.ts'
import type { Candidate, ChatRequest, Target } from './target.ts'

const policiesOn = { LOG_LEVEL: 'info', RATE_LIMIT_ANONYMOUS: '100000000/1m' }

const policiesOff = {
  LOG_LEVEL: 'silent',
  ENABLE_RATE_LIMITING: 'false',
  ENABLE_CACHING: 'false',
  ENABLE_GUARDRAILS: 'false',
}

function chatRequest(workload: Workload): ChatRequest {
  return {
    path: '/api/chat',
    headers: {},
    // Without the cache: every request must reach the upstream, as at the other targets.
    body: { model: 'openai/gpt-4o-mini', messages, stream: workload.stream, cache: 'no-store' },
    expected: workload.stream ? [lastPiece, 'event: done'] : [lastPiece],
  }
}

const target = (own: Omit<Target, 'readyPath' | 'request'> & Partial<Target>): Target => ({
  readyPath: '/api/health/live',
  request: chatRequest,
  ...own,
})

const off = target({
  name: 'parley-off',
  title: 'Parley, policies off',
  command: () => [...START_FLAGS, 'server.ts'],
  env: policiesOff,
})

const on = target({
  name: 'parley-on',
  title: 'Parley, policies on',
  command: () => [...START_FLAGS, 'server.ts'],
  env: policiesOn,
})

/** Any credential is a placeholder, since no key exists. */
const v1 = target({
  ...on,
  name: 'parley-v1',
  title: 'Parley by an OpenAI client, policies on',
  request: workload => openaiRequest(workload, { 'cache-control': 'no-store' }),
})

const underNext = target({
  name: 'parley-next',
  title: 'Parley under next start, policies on',
  command: port => [
    ...START_FLAGS,
    'node_modules/next/dist/bin/next',
    'start',
    '-p',
    String(port),
    '-H',
    '127.0.0.1',
  ],
  env: policiesOn,
})

let built: Promise<void> | undefined

/** Both servers need built pages, and server.ts builds missing or outdated ones at its start: so build once before. */
async function build(): Promise<void> {
  const options = { upstreamUrl: 'http://127.0.0.1:9/v1', showLog: true, readyWithinMs: 20 * 60_000 }
  const server = await startServer(off, options)
  await server.stop()
}

const candidate = (found: Target): Candidate => ({
  name: found.name,
  title: found.title,
  find: async () => {
    built ??= build()
    await built
    return found
  },
})

export const parleyOff = candidate(off)
export const parleyOn = candidate(on)
export const parleyV1 = candidate(v1)
export const parleyNext = candidate(underNext)
