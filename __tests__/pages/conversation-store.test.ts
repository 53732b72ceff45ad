import 'fake-indexeddb/auto'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Turn } from '../../app/(console)/chat/conversation/turn.ts'
import { Autosave, SAVE_EVERY_MS } from '../../app/(console)/chat/storage/autosave.ts'
import { BrowserStore } from '../../app/(console)/chat/storage/browser-store.ts'
import type { ConversationStore, Head } from '../../app/(console)/chat/storage/conversation-store.ts'
import { KEPT_MS, lastOpen, MAX_CONVERSATIONS, prune } from '../../app/(console)/chat/storage/last-open.ts'

const turn = (id: number, text = `answer ${id}`): Turn => ({
  id,
  question: `question ${id}`,
  model: undefined,
  answer: { state: 'stopped', text },
})
const head = (id: string, about: Partial<Head> = {}): Head => ({
  id,
  updatedAt: 1,
  draft: '',
  turnIds: [],
  ...about,
})
const nothingOpen = { remembered: undefined, claimed: async () => new Set<string>() }

describe('the store in the browser', () => {
  const store = new BrowserStore()
  beforeEach(() => store.clear())

  it('returns a conversation as it was saved, its turns in order', async () => {
    const turns = Array.from({ length: 12 }, (_, index) => turn(index + 1))
    const saved = head('a', { draft: 'next', turnIds: turns.map(({ id }) => id) })
    await store.save(saved, turns)
    await store.save(head('b', { turnIds: [1] }), [turn(1, 'other')])
    expect(await store.load('a')).toEqual({ head: saved, turns })
  })

  it('forgets the turns that the head no longer names', async () => {
    await store.save(head('a', { turnIds: [1, 2, 3] }), [turn(1), turn(2), turn(3)])
    await store.save(head('a', { turnIds: [2] }), [])
    await store.save(head('a', { turnIds: [1, 2, 3] }), [])
    expect((await store.load('a'))?.turns).toEqual([turn(2)])
  })

  it('leaves out turns that are not valid, and heads that are not', async () => {
    const damaged = { ...turn(2), answer: { state: 'done', text: 'no facts' } } as unknown as Turn
    await store.save(head('a', { turnIds: [1, 2] }), [turn(1), damaged])
    await store.save({ ...head('b'), draft: 7 } as unknown as Head, [])
    expect((await store.load('a'))?.turns).toEqual([turn(1)])
    expect(await store.load('b')).toBeUndefined()
    expect((await store.list()).map(({ id }) => id)).toEqual(['a'])
  })

  it('removes a conversation with all of its turns', async () => {
    await store.save(head('a', { turnIds: [1] }), [turn(1)])
    await store.remove('a')
    await store.save(head('a', { turnIds: [1] }), [])
    expect((await store.load('a'))?.turns).toEqual([])
  })

  it('opens the newest conversation that no tab has open', async () => {
    for (const [index, id] of ['old', 'closed', 'open'].entries())
      await store.save(head(id, { updatedAt: index, draft: id }), [])
    const tabs = { remembered: undefined, claimed: async () => new Set(['open']) }
    expect((await lastOpen(store, tabs))?.head.id).toBe('closed')
  })

  it(`keeps ${MAX_CONVERSATIONS} conversations that no tab has open, for 30 days`, async () => {
    for (let index = 0; index < MAX_CONVERSATIONS + 2; index++)
      await store.save(head(`${index}`, { updatedAt: KEPT_MS + index }), [])
    await store.save(head('expired', { updatedAt: 0 }), [])
    await prune(store, nothingOpen, KEPT_MS + 30)
    const left = (await store.list()).map(({ id }) => id)
    expect(left).toHaveLength(MAX_CONVERSATIONS)
    expect(left).not.toContain('0')
    expect(left).not.toContain('expired')
  })
})

describe('saving', () => {
  beforeEach(() => void vi.useFakeTimers())
  afterEach(() => void vi.useRealTimers())

  const saving = (save: ConversationStore['save'] = async () => undefined) => {
    const written = vi.fn(save)
    const failing = vi.fn()
    const content = { draft: '', turns: [turn(1)] }
    const store = { save: written, remove: vi.fn() } as unknown as ConversationStore
    const autosave = new Autosave('a', { store, content: () => content, now: Date.now, onFailing: failing })
    return { autosave, written, failing, content }
  }

  it(`writes at most every ${SAVE_EVERY_MS} ms while an answer streams`, async () => {
    const { autosave, written, content } = saving()
    autosave.begin([])
    await vi.advanceTimersByTimeAsync(0)
    for (let piece = 0; piece < 100; piece++) {
      content.turns = [turn(1, 'x'.repeat(piece))]
      autosave.changed()
      await vi.advanceTimersByTimeAsync(10)
    }
    expect(written.mock.calls.length).toBeLessThanOrEqual(3)
  })

  it('writes only what has changed', async () => {
    const { autosave, written, content } = saving()
    autosave.begin([])
    await vi.advanceTimersByTimeAsync(SAVE_EVERY_MS)
    const second = turn(2)
    content.turns = [...content.turns, second]
    autosave.changed()
    await vi.advanceTimersByTimeAsync(SAVE_EVERY_MS)
    expect(written.mock.lastCall?.[1]).toEqual([second])
  })

  it('writes what waits at once when the page closes, and nothing after it', async () => {
    const { autosave, written, content } = saving()
    autosave.begin([])
    content.draft = 'written last'
    autosave.changed()
    autosave.flushPending()
    autosave.pause()
    autosave.changed()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(written.mock.lastCall?.[0]).toMatchObject({ draft: 'written last' })
    expect(written).toHaveBeenCalledTimes(2)
  })

  it('reports that it fails, tries again after 5 s, and reports that it works', async () => {
    let full = true
    const { autosave, failing } = saving(async () => {
      if (full) throw new DOMException('Full.', 'QuotaExceededError')
    })
    autosave.begin([])
    await vi.advanceTimersByTimeAsync(0)
    expect(failing).toHaveBeenLastCalledWith(true)
    full = false
    await vi.advanceTimersByTimeAsync(5_000)
    expect(failing).toHaveBeenLastCalledWith(false)
  })
})
