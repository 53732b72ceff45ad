import { runMaintenance } from '../kv/maintenance.ts'
import { kvRecords } from '../kv/records.ts'
import { KvService } from '../kv/service.ts'
import type { Runtime } from './runtime.ts'

/** The values of callers, from which expired ones are swept. */
export const buildKv = ({ database }: Runtime): KvService => {
  const { clock, reportError: onError } = database
  const records = kvRecords(database.records)
  void runMaintenance({ records, clock, onError })
  return new KvService({ records, clock })
}
