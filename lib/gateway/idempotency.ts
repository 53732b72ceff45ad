import { idempotencyRecords } from '../idempotency/records.ts'
import { IdempotencyService } from '../idempotency/service.ts'
import type { Runtime } from './runtime.ts'

const component = 'idempotency'

/** Requests with an `Idempotency-Key`, each run once among all gateways on the database. */
export const buildIdempotency = ({ database, logger }: Runtime): IdempotencyService =>
  new IdempotencyService({
    records: idempotencyRecords(database.records),
    clock: database.clock,
    onError: database.reportError,
    onNotStored: err =>
      logger.warn(
        { err, component },
        'the answer was sent, but could not be stored under its Idempotency-Key',
      ),
  })
