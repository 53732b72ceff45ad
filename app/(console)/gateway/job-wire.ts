/** The types of `/api/batch`, as its public contract defines them. */

export const PRIORITIES = ['high', 'normal', 'low'] as const
export type Priority = (typeof PRIORITIES)[number]

export type JobState = 'queued' | 'running' | 'completed' | 'failed' | 'cancelled'

export const ITEM_STATES = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const
export type ItemState = (typeof ITEM_STATES)[number]

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
  state: ItemState
  attempts: number
  /** Its position in an upload. */
  file?: string
  line?: number
  content?: string
  model?: string
  /** Absent without an answer; `null` where the price is unknown. */
  costUsd?: number | null
  error?: { code: string; message: string }
}

export const isOver = ({ state }: Job): boolean => state !== 'queued' && state !== 'running'
