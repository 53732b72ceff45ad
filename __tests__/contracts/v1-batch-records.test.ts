import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { batchRecords } from '#lib/batch/records/records.ts'
import type { BatchRecords, NewItem, V1Request } from '#lib/batch/types.ts'
import { V1BatchRecords } from '#lib/batch/v1/batch-records.ts'
import { V1BatchService } from '#lib/batch/v1/batch-service.ts'
import { FileDisk } from '#lib/batch/v1/file-disk.ts'
import { FileRecords } from '#lib/batch/v1/file-records.ts'
import { FileService } from '#lib/batch/v1/file-service.ts'
import { V1Runner } from '#lib/batch/v1/runner.ts'
import type { NewV1Batch, StoredFile, V1Batch } from '#lib/batch/v1/types.ts'
import { resultLine } from '#lib/http/dialects/openai-batches.ts'
import { DATABASES, newDatabases } from '../support/databases.ts'
import { FakeClock } from '../support/fake-clock.ts'

const databases = newDatabases()

const OWNER = 'address 192.0.2.1'
const CALLER = { kind: 'anonymous', address: '192.0.2.1' } as const
const hex = (number: number): string => number.toString(16).padStart(32, '0')

let ids = 0
const file = (changes: Partial<StoredFile> = {}): StoredFile => ({
  id: `file-${hex(++ids)}`,
  owner: OWNER,
  name: 'Größe.jsonl',
  purpose: 'batch',
  bytes: 100,
  createdAt: 1_000,
  ...changes,
})
const newBatch = (changes: Partial<NewV1Batch> = {}): NewV1Batch => ({
  id: `batch_${hex(++ids)}`,
  owner: OWNER,
  api: 'batches',
  endpoint: '/v1/chat/completions',
  inputFileId: 'file-1',
  createdAt: 1_000,
  expiresAt: 50_000,
  ...changes,
})
const items = (count: number): NewItem<V1Request>[] =>
  Array.from({ length: count }, (_, index) => ({
    id: `item-${index}`,
    request: { url: '/v1/chat/completions', model: 'gpt-4o', json: '{"model":"gpt-4o", "n": 1.0}' },
  }))
const job = (id: string) =>
  ({ id, owner: OWNER, name: 'x', priority: 'normal', createdAt: 1_000, isV1: true }) as const

describe.each(DATABASES)('files and batches of /v1 in %s', kind => {
  let files: FileRecords
  let batches: V1BatchRecords
  let records: BatchRecords
  beforeEach(async () => {
    const opened = await databases.openNew(kind)
    files = new FileRecords(opened)
    batches = new V1BatchRecords(opened)
    records = batchRecords(opened)
  })

  /** A batch whose job is visible. */
  const running = async (count: number, changes: Partial<NewV1Batch> = {}): Promise<V1Batch> => {
    const batch = newBatch(changes)
    const jobId = `batch_${hex(++ids)}`
    await records.submit(job(jobId), items(count), batches.addWithJob(batch, jobId))
    return (await batches.find(OWNER, batch.api, batch.id)) as V1Batch
  }
  const settleAll = async () => {
    const claims = await records.claim({ count: 100, now: 10_000, leaseMs: 1_000 })
    for (const claim of claims)
      await records.settle(
        claim,
        { state: 'failed', fault: { code: 'TIMEOUT', message: 'Late.', retryable: true } },
        11_000,
      )
  }

  it('keep a file’s metadata, for its owner alone, until it expires or is removed', async () => {
    const kept = file({ expiresAt: 5_000, batchId: 'batch_1', bytes: 5_000_000_000 })
    await files.add(kept, 1e12)
    expect(await files.find(OWNER, kept.id, 4_999)).toEqual(kept)
    expect(await files.find('guest eve', kept.id, 4_999)).toBeUndefined()
    expect(await files.find(OWNER, kept.id, 5_000)).toBeUndefined()
    const onDisk = file({ expiresAt: 5_000 })
    await files.add(onDisk, 1e12)
    expect(await files.unknown([onDisk.id, 'file-x'])).toEqual(['file-x'])
    expect(await files.removeExpired(5_000)).toEqual([onDisk.id])
    const left = file()
    await files.add(left, 1e12)
    expect([await files.remove('guest eve', left.id), await files.remove(OWNER, left.id)]).toEqual([
      false,
      true,
    ])
  })

  it('list files in pages, in either order, of one purpose', async () => {
    const made = [1_000, 1_000, 2_000, 3_000].map(createdAt => file({ createdAt }))
    for (const one of made) await files.add(one, 1e12)
    await files.add(file({ purpose: 'user_data' }), 1e12)
    const pagesOf = async (order: 'asc' | 'desc') => {
      const found: string[] = []
      for (let after: string | undefined; ; after = found.at(-1)) {
        const page = await files.list(OWNER, { limit: 3, order, after, purpose: 'batch' }, 0)
        found.push(...page.entries.map(({ id }) => id))
        if (!page.hasMore) return found
      }
    }
    const expected = made.map(({ id }) => id)
    expect(await pagesOf('asc')).toEqual(expected)
    expect(await pagesOf('desc')).toEqual(expected.toReversed())
    await expect(files.list(OWNER, { limit: 3, order: 'asc', after: 'file-x' }, 0)).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    })
  })

  it('store no more for an owner than allowed, by simultaneous uploads either', async () => {
    const added = await Promise.all(Array.from({ length: 10 }, () => files.add(file(), 350)))
    expect(added.filter(Boolean)).toHaveLength(3)
    expect(await files.bytesOf(OWNER)).toBe(300)
    expect(await files.add(file({ owner: 'guest ada' }), 350)).toBe(true)
  })

  it('give a batch to one validation at a time, and to another once its lease ends', async () => {
    const [first, second] = [newBatch(), newBatch({ createdAt: 2_000, metadata: { a: 'ß' }, outputTtlMs: 9 })]
    for (const one of [first, second]) await batches.add(one)
    const claims = await Promise.all([
      batches.claimValidation(3_000, 13_000, []),
      batches.claimValidation(3_000, 13_000, []),
      batches.claimValidation(3_000, 13_000, []),
    ])
    const claimed = claims.flatMap(one => (one ? [one.batch.id] : []))
    expect(claimed.toSorted()).toEqual([first.id, second.id].toSorted())
    const old = claims.find(one => one?.batch.id === first.id)
    if (!old) throw new Error('it was not claimed')
    expect(await batches.renewValidation(old, 20_000)).toBe(true)
    expect(await batches.claimValidation(19_999, 30_000, [second.id])).toBeUndefined()
    const next = await batches.claimValidation(20_000, 30_000, [])
    const again = await batches.claimValidation(20_000, 30_000, [])
    expect(again?.batch.id).toBe(second.id)
    expect(next).toMatchObject({ batch: { id: first.id }, fence: old.fence + 1 })
    expect(await batches.renewValidation(old, 99_000)).toBe(false)
    expect(await batches.refuse(old, [], 1)).toBe(false)
    expect(again?.batch).toEqual({ ...second, state: 'validating' })
  })

  it('make a job visible together with its batch, or not at all: no request runs for a lost or cancelled validation', async () => {
    for (const spoil of ['lost', 'cancelled'] as const) {
      const batch = newBatch()
      await batches.add(batch)
      const old = await batches.claimValidation(3_000, 4_000, [])
      if (!old) throw new Error('it was not claimed')
      if (spoil === 'lost') await batches.claimValidation(5_000, 6_000, [])
      else await batches.stop(batch.id, 'cancelled_at', 5_000)
      const id = `batch_${hex(++ids)}`
      await expect(records.submit(job(id), items(3), batches.begin(old, id, 5_000))).rejects.toThrow()
      expect(await records.claim({ count: 9, now: 10_000, leaseMs: 1 })).toEqual([])
      const found = await batches.find(OWNER, 'batches', batch.id)
      expect([found?.state, found?.job]).toEqual([spoil === 'lost' ? 'validating' : 'ended', undefined])
    }
  })

  it('show the job of a batch, which is no job of /api/batch, and hold its requests as they were written', async () => {
    const batch = await running(2)
    expect(batch).toMatchObject({
      state: 'running',
      job: { state: 'queued', counts: { total: 2, queued: 2, succeeded: 0 } },
    })
    expect(await records.find(OWNER, batch.job?.id ?? '')).toBeUndefined()
    expect(await records.list(OWNER, { limit: 9 })).toEqual({ entries: [] })
    expect(await batches.find('guest eve', 'batches', batch.id)).toBeUndefined()
    expect(await batches.find(OWNER, 'message-batches', batch.id)).toBeUndefined()
    const [claim] = await records.claim({ count: 1, now: 10_000, leaseMs: 1_000 })
    expect(claim?.request).toEqual(items(1)[0]?.request)
    const response = {
      content: '',
      finishReason: 'stop',
      truncated: false,
      target: { provider: 'p', model: 'm', name: 'p/m' },
      usage: { inputTokens: 1, outputTokens: 1 },
      cache: 'miss',
      v1: { requestId: 'r', json: '{"a": 1.50}' },
    } as const
    if (claim) await records.settle(claim, { state: 'succeeded', answer: response }, 11_000)
    const { entries } = await records.items(batch.job?.id ?? '', { limit: 9, state: 'succeeded' })
    expect(entries[0]?.response).toEqual(response)
  })

  it('list the batches of one API in pages, from either side', async () => {
    const made: string[] = []
    for (let at = 1; at <= 5; at += 1) made.unshift((await running(1, { createdAt: at * 1_000 })).id)
    await running(1, { api: 'message-batches', id: `msgbatch_${hex(1)}` })
    const idsOf = async (query: Parameters<V1BatchRecords['list']>[2]) => {
      const { entries, hasMore } = await batches.list(OWNER, 'batches', query)
      return [entries.map(({ id }) => made.indexOf(id)), hasMore]
    }
    expect(await idsOf({ limit: 2 })).toEqual([[0, 1], true])
    expect(await idsOf({ limit: 4, after: made[1] })).toEqual([[2, 3, 4], false])
    expect(await idsOf({ limit: 2, before: made[4] })).toEqual([[2, 3], true])
    await expect(batches.list(OWNER, 'batches', { limit: 2, after: 'x' })).rejects.toMatchObject({
      code: 'INVALID_INPUT',
    })
  })

  it('finish a batch once, with its files, after its job has ended', async () => {
    const batch = await running(2)
    expect(await batches.toFinish()).toEqual([])
    await settleAll()
    expect((await batches.toFinish()).map(({ id }) => id)).toEqual([batch.id])
    const errors = file({ purpose: 'batch_output', batchId: batch.id })
    const results = { errors, usage: { inputTokens: 1, outputTokens: 2 }, endedAt: 12_000 }
    await Promise.all([batches.finish(batch.id, results), batches.finish(batch.id, results)])
    expect(await batches.toFinish()).toEqual([])
    expect(await batches.find(OWNER, 'batches', batch.id)).toMatchObject({
      state: 'ended',
      endedAt: 12_000,
      errorFileId: errors.id,
      usage: results.usage,
      job: { state: 'failed', counts: { failed: 2 } },
    })
    expect(await files.find(OWNER, errors.id, 0)).toEqual(errors)
    await files.remove(OWNER, errors.id)
    await batches.finish(batch.id, results)
    expect(await files.find(OWNER, errors.id, 0)).toBeUndefined()
    await batches.removeEnded(12_001)
    expect(await batches.find(OWNER, 'batches', batch.id)).toBeUndefined()
  })

  describe('with the service and the runner', () => {
    const setting = () => {
      const clock = new FakeClock()
      const dataDir = mkdtempSync(join(tmpdir(), 'parley-files-'))
      const disk = new FileDisk(join(dataDir, 'files'))
      const errors: unknown[] = []
      const common = {
        batches,
        disk,
        records,
        clock,
        results: { records, line: resultLine },
        notifyWork: () => {},
        cancelJob: () => {},
      }
      const fileService = new FileService({ ...common, files, maxBytes: 1e9, batchTtlMs: 1e9 })
      const service = new V1BatchService({
        ...common,
        files: fileService,
        wake: () => {},
        modelFault: () => undefined,
      })
      const runner = new V1Runner({
        ...common,
        service,
        files,
        input: {
          mostItems: 3,
          maxBytes: 10_000,
          modelFault: () => undefined,
          defaultModelOf: () => undefined,
        },
        keepMs: 1e9,
        isStopping: () => false,
        onError: error => errors.push(error),
      })
      const upload = async (content: string): Promise<StoredFile> => {
        const path = join(dataDir, 'upload')
        mkdirSync(dataDir, { recursive: true })
        writeFileSync(path, content)
        return fileService.add(CALLER, { path, name: 'a.jsonl', purpose: 'batch', bytes: content.length })
      }
      const create = (inputFileId: string) =>
        service.create(CALLER, { inputFileId, endpoint: '/v1/chat/completions' })
      /** The batch once it has come to this state. */
      const until = async (id: string, isSo: (batch: V1Batch) => boolean): Promise<V1Batch> => {
        for (;;) {
          runner.wake()
          const batch = await service.find(CALLER, 'batches', id)
          if (isSo(batch)) return batch
          await new Promise(resolve => setImmediate(resolve))
        }
      }
      return { clock, disk, errors, files: fileService, service, upload, create, until }
    }
    const line = (id: string) =>
      `{"custom_id":"${id}","method":"POST","url":"/v1/chat/completions","body":{"model":"m","n":1.0}}\n`
    const linesOf = async ({ files: service }: ReturnType<typeof setting>, id = '') => {
      let text = ''
      for await (const piece of (await service.content(CALLER, id)).pieces) text += piece
      return text
        .trimEnd()
        .split('\n')
        .map(one => JSON.parse(one))
    }

    it('expires a batch after 24 hours: what has not run is named in the error file as batch_expired', async () => {
      const own = setting()
      const { id } = await own.create((await own.upload(line('a') + line('b'))).id)
      await own.until(id, ({ state }) => state === 'running')
      await own.clock.advance(86_400_000)
      const batch = await own.until(id, ({ state }) => state === 'ended')
      expect([batch.expiredAt !== undefined, batch.outputFileId]).toEqual([true, undefined])
      const found = await linesOf(own, batch.errorFileId)
      expect(found.map(({ custom_id, response, error }) => [custom_id, response, error.code])).toEqual([
        ['a', null, 'batch_expired'],
        ['b', null, 'batch_expired'],
      ])
      expect(own.errors).toEqual([])
    })

    it('refuses a file of more requests than allowed, and one that was deleted before it was read', async () => {
      const first = setting()
      const many = await first.create((await first.upload(['a', 'b', 'c', 'd', 'e'].map(line).join(''))).id)
      const refused = await first.until(many.id, ({ state }) => state === 'invalid')
      expect(refused.errors).toMatchObject([{ code: 'too_many_tasks', line: 4 }])
      // The first runner may still be at work, and would read the file before it is deleted.
      const own = setting()
      const input = await own.upload(line('a'))
      const { id } = await own.create(input.id)
      await own.files.remove(CALLER, input.id)
      const gone = await own.until(id, ({ state }) => state === 'invalid')
      expect(gone.errors).toMatchObject([{ code: 'invalid_file' }])
      expect(await records.claim({ count: 9, now: 1e15, leaseMs: 1 })).toEqual([])
    })

    it('refuses a file with a custom_id that no database keeps as it is, and names its lines', async () => {
      const own = setting()
      const content = [String.raw`a\u0000b`, 'a', String.raw`\ud800`].map(line).join('')
      const { id } = await own.create((await own.upload(content)).id)
      const refused = await own.until(id, ({ state }) => state !== 'validating' || own.errors.length > 0)
      expect(own.errors).toEqual([])
      const fault = { code: 'invalid_request', param: 'custom_id' }
      expect(refused).toMatchObject({
        state: 'invalid',
        errors: [
          { ...fault, line: 1 },
          { ...fault, line: 3 },
        ],
      })
    })

    it('says that a file’s content is on another machine, and leaves its batch to that one', async () => {
      const [here, elsewhere] = [setting(), setting()]
      const input = await here.upload(line('a'))
      await expect(elsewhere.files.content(CALLER, input.id)).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
        message: expect.stringContaining('DATA_DIR'),
      })
      await expect(elsewhere.create(input.id)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
      const { id } = await here.create(input.id)
      for (let looks = 0; looks < 20; looks += 1)
        expect((await elsewhere.until(id, () => true)).state).toBe('validating')
      expect((await here.until(id, ({ state }) => state === 'running')).job?.counts.total).toBe(1)
    })

    it('sweeps expired files and content without a file, and nothing else', async () => {
      const own = setting()
      const [kept, expired] = [await own.upload('kept'), await own.upload('expired')]
      const orphan = `file-${hex(7)}`
      writeFileSync(own.disk.pathOf(orphan), 'orphan')
      await own.clock.advance(999_999_999)
      const young = await own.upload('young')
      await files.remove(OWNER, kept.id)
      await files.add({ ...kept, expiresAt: 1e15 }, 1e12)
      await own.clock.advance(2)
      await own.files.sweep()
      await own.disk.assertHas(kept.id)
      await own.disk.assertHas(young.id)
      for (const id of [expired.id, orphan]) await expect(own.disk.assertHas(id)).rejects.toThrow()
      expect(await files.find(OWNER, expired.id, 0)).toBeUndefined()
    })
  })
})
