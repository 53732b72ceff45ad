import { type Caller, ownerOf } from '../caller.ts'
import type { Clock } from '../clock.ts'
import { GatewayError } from '../errors.ts'
import type { Records } from '../storage/records/records.ts'
import type { Ledger } from './ledger.ts'
import { detailedSince } from './maintenance.ts'
import { type ExplainedRequest, findRequest, listRequests, type RequestPage } from './requests.ts'
import type { UsageQuery, UsageReport } from './types.ts'
import { usageOf } from './usage.ts'

/** Longer than a commit takes; while the database is away, reading fails by itself. */
const FLUSHED_WITHIN_MS = 1_000

export type UsageServiceDeps = Readonly<{
  records: Records
  ledger: Ledger
  clock: Clock
  /** How long rows, and sums by hour, are kept. */
  keepMs: number
}>

type PageQuery = Readonly<{ limit: number; cursor?: string | undefined }>

/** Resolves when what this process has recorded is in the database, or after a second without it. */
export const flushed = (ledger: Ledger, clock: Clock): Promise<void> =>
  new Promise(resolve => {
    const timer = clock.timer(FLUSHED_WITHIN_MS, resolve)
    void ledger.flush().then(() => {
      timer.cancel()
      resolve()
    })
  })

/** The owner of a caller's usage. Throws UNAUTHENTICATED for a caller who cannot be identified. */
const ownerOrThrow = (caller: Caller): string => {
  const owner = ownerOf(caller)
  if (owner !== undefined) return owner
  throw new GatewayError('UNAUTHENTICATED', 'It is not known whose usage this is.')
}

/** Reads the ledger, what this process has just recorded included. */
export class UsageService {
  readonly #deps: UsageServiceDeps

  constructor(deps: UsageServiceDeps) {
    this.#deps = deps
  }

  async usage(query: UsageQuery): Promise<UsageReport> {
    const { records, ledger, clock, keepMs } = this.#deps
    await flushed(ledger, clock)
    return usageOf(records, query, detailedSince(clock.now(), keepMs))
  }

  ownUsage(caller: Caller, query: Omit<UsageQuery, 'owner'>): Promise<UsageReport> {
    return this.usage({ ...query, owner: ownerOrThrow(caller) })
  }

  /** @throws GatewayError NOT_FOUND, also for another owner's request */
  async request(requestId: string, caller?: Caller): Promise<ExplainedRequest> {
    await flushed(this.#deps.ledger, this.#deps.clock)
    const owner = caller && ownerOrThrow(caller)
    const found = await findRequest(this.#deps.records, requestId, owner)
    if (!found) throw new GatewayError('NOT_FOUND', 'There is no such request.')
    return found
  }

  async requests(query: PageQuery, caller?: Caller): Promise<RequestPage> {
    await flushed(this.#deps.ledger, this.#deps.clock)
    return listRequests(this.#deps.records, { ...query, owner: caller && ownerOrThrow(caller) })
  }
}
