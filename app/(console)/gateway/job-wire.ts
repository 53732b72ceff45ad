/** The types of `/api/batch`, as its public contract defines them. */

export const PRIORITIES = ['high', 'normal', 'low'] as const
export type Priority = (typeof PRIORITIES)[number]

export type JobState = 'queued' | 'running' | 'completed' | 'failed' | 'cancelled'

export const ITEM_STATES = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const
export type ItemState = (typeof ITEM_STATES)[number]

/** Why a batch does not progress. */
export type Waiting = {
  reason: 'schedule' | 'worker' | 'queue' | 'model'
  message: string
  /** The requested model, with the reason `model`. */
  model?: string | null
  /** When it is expected to go on; `null` where unknown. */
  until: string | null
}

export type Job = {
  id: string
  name: string
  priority: Priority
  state: JobState
  counts: { total: number } & Record<ItemState, number>
  /** From 0 to 1. */
  progress: number
  /** `null` where unknown: nothing has ended yet, or nothing runs. */
  etaSeconds: number | null
  /** `null` while items run. */
  waiting: Waiting | null
  /** US dollars so far; `unpricedItems` are not in it. */
  costUsd: number
  unpricedItems: number
  /** Warnings about what was ignored in an upload. */
  warnings: readonly string[]
  createdAt: string
  endedAt: string | null
}

export type Item = {
  id: string
  index: number
  state: ItemState
  attempts: number
  /** Its position in an upload. */
  file?: string
  line?: number
  content?: string
  truncated?: boolean
  finishReason?: string
  model?: string
  /** Absent without an answer; `null` where the price is unknown. */
  costUsd?: number | null
  error?: { code: string; message: string }
}

/** One item whole, with the messages that were sent for it. */
export type ItemDetail = Item & { messages: { role: 'system' | 'user' | 'assistant'; content: string }[] }

export const isOver = ({ state }: Job): boolean => state !== 'queued' && state !== 'running'
