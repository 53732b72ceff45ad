import type { Answer, Turn } from '../conversation/turn.ts'
import type { Head } from './conversation-store.ts'

type Fields = Record<string, unknown>

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null
const isOptional = (value: unknown, type: 'string' | 'number') => value === undefined || typeof value === type

/** Whether a stored value is a head as this version writes it. */
export function isHead(value: unknown): value is Head {
  return (
    isFields(value) &&
    typeof value.id === 'string' &&
    Number.isFinite(value.updatedAt) &&
    typeof value.draft === 'string' &&
    Array.isArray(value.turnIds) &&
    value.turnIds.every(Number.isSafeInteger)
  )
}

/** Whether a stored value is a turn as this version writes it. */
export function isTurn(value: unknown): value is Turn {
  return (
    isFields(value) &&
    Number.isSafeInteger(value.id) &&
    typeof value.question === 'string' &&
    isOptional(value.model, 'string') &&
    (value.tools === undefined || areNames(value.tools)) &&
    isAnswer(value.answer) &&
    (value.previous === undefined || isAnswer(value.previous))
  )
}

function areNames(value: unknown): boolean {
  return Array.isArray(value) && value.every(name => typeof name === 'string')
}

function isAnswer(value: unknown): value is Answer {
  if (!isFields(value)) return false
  const hasText = typeof value.text === 'string' && (value.tools === undefined || areTools(value.tools))
  switch (value.state) {
    case 'waiting':
      return isPosition(value.position)
    case 'streaming':
      return hasText && isStart(value.start) && isPosition(value.position)
    case 'stopped':
      return hasText && isStart(value.start) && (value.expense === undefined || isExpense(value.expense))
    case 'done':
      return hasText && isFacts(value.facts)
    case 'failed':
      return hasText && isStart(value.start) && isFailure(value.failure)
    default:
      return false
  }
}

function areTools(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every(
      tool =>
        isFields(tool) &&
        typeof tool.id === 'string' &&
        typeof tool.name === 'string' &&
        typeof tool.state === 'string' &&
        isOptional(tool.source, 'string') &&
        isOptional(tool.reason, 'string'),
    )
  )
}

function isPosition(value: unknown): boolean {
  if (value === undefined) return true
  return (
    isFields(value) &&
    typeof value.streamId === 'string' &&
    typeof value.lastEventId === 'string' &&
    isOptional(value.requestId, 'string')
  )
}

function isStart(value: unknown): boolean {
  if (value === undefined) return true
  return (
    isFields(value) &&
    typeof value.id === 'string' &&
    typeof value.requestId === 'string' &&
    typeof value.model === 'string' &&
    typeof value.provider === 'string'
  )
}

function isFacts(value: unknown): boolean {
  return (
    isFields(value) &&
    typeof value.model === 'string' &&
    typeof value.latencyMs === 'number' &&
    isExpense(value)
  )
}

function isExpense(value: unknown): boolean {
  return (
    isFields(value) &&
    (value.costUsd === null || typeof value.costUsd === 'number') &&
    (value.usage === undefined || isUsage(value.usage))
  )
}

function isUsage(value: unknown): boolean {
  return isFields(value) && typeof value.inputTokens === 'number' && typeof value.outputTokens === 'number'
}

function isFailure(value: unknown): boolean {
  return (
    isFields(value) &&
    typeof value.code === 'string' &&
    typeof value.message === 'string' &&
    typeof value.retryable === 'boolean' &&
    isOptional(value.requestId, 'string') &&
    isOptional(value.retryAfterSeconds, 'number') &&
    isOptional(value.attempts, 'number') &&
    (value.expense === undefined || isExpense(value.expense))
  )
}
