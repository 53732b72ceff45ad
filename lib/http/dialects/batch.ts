import { resultsAsCsv, resultsAsJsonl } from '../../batch/results.ts'
import type { Item, ItemDetail, Job, JobStream, Page, Wait } from '../../batch/types.ts'
import type { Clock } from '../../clock.ts'
import { isoTimeOrNull } from '../../clock.ts'
import type { GatewayError } from '../../errors.ts'
import { usdOf } from '../../money.ts'
import { download } from '../download.ts'
import type { RouteResponse } from '../route-response.ts'
import { eventStream, sseEvent } from '../sse.ts'

const MS_PER_SECOND = 1000

/**
 * Estimated seconds until a running job ends, at its rate so far; null while no item has ended yet, and while it waits.
 */
const etaSeconds = ({ state, counts, startedAt, idleMs = 0, wait }: Job, now: number): number | null => {
  const ended = counts.succeeded + counts.failed
  if (state !== 'running' || startedAt === undefined || ended === 0 || wait) return null
  const left = counts.queued + counts.running
  return Math.ceil((((now - startedAt - idleMs) / ended) * left) / MS_PER_SECOND)
}

const WAITS = {
  schedule: 'It is scheduled for later.',
  worker: 'No process that runs batch items is running.',
  queue: 'Other batches come first.',
} as const

/** Why a job does not progress, as JSON. */
const waitJson = (wait: Wait) =>
  wait.reason === 'model'
    ? {
        reason: wait.reason,
        code: wait.fault.code,
        message: wait.fault.message,
        model: wait.model ?? null,
        until: isoTimeOrNull(wait.until),
      }
    : {
        reason: wait.reason,
        message: WAITS[wait.reason],
        until: isoTimeOrNull(wait.reason === 'schedule' ? wait.until : undefined),
      }

/** A job as JSON for its owner. */
export const jobJson = (job: Job, now: number) => {
  const { id, name, priority, state, counts, costUsd, unpriced, webhookUrl, warnings = [] } = job
  const open = counts.queued + counts.running
  return {
    id,
    name,
    priority,
    state,
    counts,
    progress: counts.total === 0 ? 1 : (counts.total - open) / counts.total,
    etaSeconds: etaSeconds(job, now),
    /** Why no item can progress right now; null where one can. */
    waiting: job.wait ? waitJson(job.wait) : null,
    /** The cost so far, US dollars; `unpricedItems` are not in it. */
    costUsd,
    unpricedItems: unpriced,
    createdAt: isoTimeOrNull(job.createdAt),
    scheduledFor: isoTimeOrNull(job.scheduledFor),
    startedAt: isoTimeOrNull(job.startedAt),
    endedAt: isoTimeOrNull(job.endedAt),
    webhookUrl: webhookUrl ?? null,
    /** Warnings about what was ignored in an upload. */
    warnings,
  }
}

/** An item as JSON for its owner. */
export const itemJson = ({
  id,
  index,
  state,
  attempts,
  source,
  response,
  fault,
  startedAt,
  endedAt,
}: Item) => ({
  id,
  index,
  state,
  attempts,
  ...(source && { file: source.file, ...(source.line !== undefined && { line: source.line }) }),
  ...(response && {
    content: response.content,
    model: response.target.name,
    provider: response.target.provider,
    finishReason: response.finishReason,
    truncated: response.truncated,
    ...(response.tools && { tools: response.tools }),
    usage: response.usage,
    costUsd: response.costPicoUsd === undefined ? null : usdOf(response.costPicoUsd),
    cache: response.cache,
  }),
  ...(fault && { error: fault }),
  startedAt: isoTimeOrNull(startedAt),
  endedAt: isoTimeOrNull(endedAt),
})

/** One item with the messages that are sent to the model. */
export const itemDetailJson = ({ messages, ...item }: ItemDetail) => ({ ...itemJson(item), messages })

/** One page of a list, under the list's name. */
export const pageJson = <Entry, Name extends string>(
  name: Name,
  { entries, cursor }: Page<Entry>,
  toJson: (entry: Entry) => unknown,
) => ({ [name]: entries.map(toJson), nextCursor: cursor ?? null })

export type BodyOptions = Readonly<{ clock: Clock; abort: (reason: GatewayError) => void }>

async function* frames(jobs: AsyncIterable<Job>, clock: Clock): AsyncGenerator<string> {
  for await (const job of jobs) yield sseEvent('job', jobJson(job, clock.now()))
}

/** Jobs as events, each time one has changed: `event: job`. */
export const progressResponse = ({ jobs, unsubscribe }: JobStream, options: BodyOptions): RouteResponse => {
  const response = eventStream(frames(jobs, options.clock), { ...options, startWithPing: true })
  void response.ended.then(unsubscribe)
  return response
}

/** The formats of results. */
const FORMATS = {
  jsonl: { type: 'application/jsonl; charset=utf-8', lines: resultsAsJsonl },
  csv: { type: 'text/csv; charset=utf-8; header=present', lines: resultsAsCsv },
} as const

/** All items of a job as a download. Rejects with NOT_FOUND where it is removed before the first of them is sent. */
export const resultsResponse = (
  job: Job,
  items: AsyncIterable<Item>,
  format: keyof typeof FORMATS,
  options: BodyOptions,
): Promise<RouteResponse> => {
  const { type, lines } = FORMATS[format]
  return download(lines(items), { ...options, type, fileName: `${job.id}.${format}` })
}
