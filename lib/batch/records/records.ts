import type { Records } from '../../storage/records/records.ts'
import type { BatchRecords } from '../types.ts'
import { claim } from './claim.ts'
import { findItem, listItems, nextDueAt, renewLeases } from './items.ts'
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
import { withWaits } from './waits.ts'
import { claimWebhook, settleWebhook } from './webhooks.ts'
import { heartbeat, probe } from './workers.ts'

/** Databases keep whole milliseconds. */
const whole = Math.floor

/** Jobs and their items in the records, SQLite's and Postgres' alike. */
export const batchRecords = (records: Records): BatchRecords => ({
  submit: (job, items, alongside) => submit(records, job, items, alongside),
  sweep: before => sweep(records, whole(before)),
  find: (owner, id) => findJob(records, owner, id),
  list: (owner, options) => listJobs(records, owner, options),
  withWaits: (jobs, now) => withWaits(records, jobs, whole(now)),
  items: (jobId, options) => listItems(records, jobId, options),
  item: (jobId, index) => findItem(records, jobId, index),
  claim: options => claim(records, { ...options, now: whole(options.now) }),
  renew: (claims, options) => renewLeases(records, claims, { ...options, now: whole(options.now) }),
  settle: (claimed, outcome, now) => settle(records, claimed, outcome, whole(now)),
  nextDueAt: (except = []) => nextDueAt(records, except),
  cancel: (owner, id, now) => cancelJob(records, owner, id, whole(now)),
  retryFailed: (owner, id, now) => retryFailed(records, owner, id, whole(now)),
  prioritise: (owner, id, priority) => prioritiseJob(records, owner, id, priority),
  remove: (owner, id) => removeJob(records, owner, id),
  removeEnded: before => removeEnded(records, whole(before)),
  claimWebhook: ({ now, leaseUntil, except = [] }) =>
    claimWebhook(records, { now: whole(now), leaseUntil: whole(leaseUntil), except }),
  settleWebhook: (due, outcome) => settleWebhook(records, due, outcome),
  heartbeat: (workerId, now) => heartbeat(records, workerId, whole(now)),
  probe: id => probe(records, id),
  depth: now => depthOf(records, whole(now)),
})
