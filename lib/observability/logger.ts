import { createRequire } from 'node:module'
import pino, { type DestinationStream, type Logger as PinoLogger } from 'pino'
import type { Redactor } from './redact.ts'

/** The only fields that a log line can have. Prompts, answers, headers, keys and addresses are not among them. */
const FIELD_NAMES = [
  'component',
  'jobId',
  'requestId',
  'responseId',
  'method',
  'route',
  'status',
  'code',
  'waitedFor',
  'outcome',
  'caller',
  'provider',
  'model',
  'attempts',
  'cache',
  'fallback',
  'hedged',
  'hedgeCostUsd',
  'arm',
  'finishReason',
  'ignoredEvents',
  'latencyMs',
  'firstContentMs',
  'upstreamMs',
  'inputTokens',
  'outputTokens',
  'costUsd',
  'estimated',
  'guardrails',
  'tool',
  'service',
  'scope',
  'period',
  'spentUsd',
  'limitUsd',
  'spentNanoUsd',
  'ledgerNanoUsd',
  'byNanoUsd',
  'reservedNanoUsd',
  'costNanoUsd',
  'count',
  'rows',
  'openRequests',
  'graceSeconds',
  'signal',
  'circuit',
  'reason',
  'path',
  'auditSequence',
  'auditHash',
  'err',
] as const

const FIELDS: ReadonlySet<string> = new Set(FIELD_NAMES)

type LogFields = { readonly [Name in (typeof FIELD_NAMES)[number]]?: unknown }
/** Refuses a field that would be dropped: a line with one does not compile. */
type OnlyKnown<Fields> = { readonly [Name in Exclude<keyof Fields, keyof LogFields>]: never }

type Log = {
  <Fields extends LogFields>(fields: Fields & OnlyKnown<Fields>, message: string): void
  (message: string): void
}

/** Writes log lines. */
export type Logger = { readonly [Level in 'debug' | 'info' | 'warn' | 'error' | 'fatal']: Log } & {
  /** Writes what waits to be written. */
  readonly flush: (done?: () => void) => void
}

const LONGEST_STACK = 4_000

/** Secrets are masked before a stack is cut: a part of one would not be recognised. */
const describeError =
  (redact: Redactor) =>
  (error: unknown): unknown => {
    if (!(error instanceof Error)) return { type: typeof error }
    return {
      type: error.name,
      ...('code' in error && typeof error.code === 'string' && { code: error.code }),
      stack: redact(error.stack ?? error.message).slice(0, LONGEST_STACK),
      ...(error.cause instanceof Error && { cause: describeError(redact)(error.cause) }),
    }
  }

/** Lines about requests hold no text of others' but what clients name; all other lines may. */
const masked =
  (redact: Redactor) =>
  (line: string): string =>
    line.startsWith('{"level":"info"') && !line.includes('"err":') ? redact.unencoded(line) : redact(line)

const onlyKnownFields = (line: Record<string, unknown>): Record<string, unknown> => {
  const kept: Record<string, unknown> = {}
  for (const field in line) if (FIELDS.has(field)) kept[field] = line[field]
  return kept
}

type LoggerOptions = Readonly<{
  level: string
  /** Readable text instead of JSON. */
  pretty: boolean
  redact: Redactor
  /** The destination; standard output when absent. */
  destination?: DestinationStream
}>

const prettyOutput = (): DestinationStream => {
  const pretty: typeof import('pino-pretty') = createRequire(import.meta.url)('pino-pretty')
  return pretty({
    messageKey: 'message',
    timestampKey: 'timestamp',
    translateTime: 'HH:MM:ss.l',
    hideObject: false,
    ignore: 'component',
    singleLine: true,
  })
}

/** Lines are written in batches: a system call for each would be a tenth of a request's cost. */
const FLUSHED_FROM_BYTES = 4_096
const FLUSHED_EVERY_MS = 100

const callNow = (done?: () => void): void => done?.()

const plainOutput = (): DestinationStream => {
  const output = pino.destination({
    dest: 1,
    sync: false,
    minLength: FLUSHED_FROM_BYTES,
    periodicFlush: FLUSHED_EVERY_MS,
  })
  // A closed terminal fails every write, and the flush at exit would retry for ever.
  const stopWriting = () => Object.assign(output, { write: () => true, flush: callNow, flushSync: () => {} })
  return output.on('error', stopWriting)
}

/** The time as pino adds it to a line, in ISO 8601. Formatting a date costs 5 µs, so it is done once a second. */
const timestamps = (): (() => string) => {
  let second = Number.NaN
  let start = ''
  return () => {
    const now = Date.now()
    const current = Math.floor(now / 1000)
    if (current !== second) {
      second = current
      start = new Date(current * 1000).toISOString().slice(0, 'YYYY-MM-DDTHH:MM:SS.'.length)
    }
    return `,"timestamp":"${start}${String(now - current * 1000).padStart(3, '0')}Z"`
  }
}

/** One JSON object a line: `timestamp`, `level`, `message`, and fields of the list above. */
export const createLogger = ({ level, pretty, redact, destination }: LoggerOptions): PinoLogger =>
  pino(
    {
      level,
      base: null,
      messageKey: 'message',
      timestamp: timestamps(),
      formatters: { level: label => ({ level: label }), log: onlyKnownFields },
      serializers: { err: describeError(redact) },
      hooks: { streamWrite: masked(redact) },
    },
    destination ?? (pretty ? prettyOutput() : plainOutput()),
  )
