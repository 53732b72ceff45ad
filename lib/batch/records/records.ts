import type { Records } from '../../storage/records/records.ts'
import type { BatchRecords } from '../types.ts'
import { claim } from './claim.ts'
import { listItems, nextDueAt, renewLeases } from './items.ts'
import {
  cancelJob,
  depthOf,
  findJob,
  listJobs,
  prioritiseJob,
  removeEnded,
  removeJob,
  retryFailed,
  sweep,
} from './jobs.ts'
import { settle } from './settle.ts'
import { submit } from './submit.ts'
import { claimWebhook, settleWebhook } from './webhooks.ts'

/** Jobs and their items in the records, SQLite's and Postgres' alike. */
export const batchRecords = (records: Records): BatchRecords => ({
  submit: (job, items) => submit(records, job, items),
  sweep: before => sweep(records, before),
  find: (owner, id) => findJob(records, owner, id),
  list: (owner, options) => listJobs(records, owner, options),
  items: (jobId, options) => listItems(records, jobId, options),
  claim: options => claim(records, options),
  renew: (claims, options) => renewLeases(records, claims, options),
  settle: (claimed, outcome, now) => settle(records, claimed, outcome, now),
  nextDueAt: () => nextDueAt(records),
  cancel: (owner, id, now) => cancelJob(records, owner, id, now),
  retryFailed: (owner, id) => retryFailed(records, owner, id),
  prioritise: (owner, id, priority) => prioritiseJob(records, owner, id, priority),
  remove: (owner, id) => removeJob(records, owner, id),
  removeEnded: before => removeEnded(records, before),
  claimWebhook: (now, leaseUntil) => claimWebhook(records, now, leaseUntil),
  settleWebhook: (jobId, outcome) => settleWebhook(records, jobId, outcome),
  depth: now => depthOf(records, now),
})
