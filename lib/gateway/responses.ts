import { DAY_MS } from '../clock.ts'
import { runMaintenance } from '../responses/maintenance.ts'
import { responseRecords } from '../responses/records.ts'
import { ResponseService } from '../responses/service.ts'
import { type VendorObjects, vendorObjects } from '../vendor-objects/assert-own.ts'
import type { Database } from './database.ts'
import type { CurrentConfig } from './live-config.ts'
import type { Runtime } from './runtime.ts'

/** The answers that later requests can refer to; none where they are to be kept for no time. */
export const buildResponses = ({ env, clock, logger }: Runtime, database: Database) => {
  const keepMs = env.RESPONSES_KEEP_DAYS * DAY_MS
  const records = keepMs > 0 ? responseRecords(database.records) : undefined
  if (records) void runMaintenance({ records, clock, onError: database.reportError })
  return new ResponseService({
    records,
    clock,
    keepMs,
    mostCharacters: env.RESPONSES_MAX_CHARACTERS,
    onNotStored: (responseId, err) =>
      logger.warn(
        { err, responseId, component: 'responses' },
        'the answer was sent, but could not be stored',
      ),
  })
}

/**
 * The check of ids of objects at vendors: a caller's are those that its kept answers hold. A gateway without keys has no
 * callers to distinguish: unless it is configured, all of them pass.
 */
export const buildVendorObjects = (
  responses: ResponseService,
  current: CurrentConfig,
  { acceptsPlaceholders }: Runtime['keys'],
): VendorObjects =>
  vendorObjects({
    isAllowed: () => {
      const { vendorObjects: configured } = current.now.settings
      return configured === undefined ? acceptsPlaceholders() : configured === 'allow'
    },
    ownIds: (caller, ids) => responses.ownIds(caller, ids),
  })
