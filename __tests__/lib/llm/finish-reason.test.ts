import { describe, expect, it } from 'vitest'
import { finishOf, isFailedFinish } from '#lib/llm/providers/shared/reply-part.ts'
import type { FinishReason } from '#lib/llm/types.ts'

const WORDS: Readonly<Partial<Record<FinishReason, readonly string[]>>> = {
  stop: [
    'stop',
    'STOP',
    'end',
    'end_turn',
    'eos',
    'EOS',
    'eos_token',
    'stop_sequence',
    'COMPLETE',
    'FINISH_REASON_STOP',
  ],
  length: [
    'length',
    'max_tokens',
    'MAX_TOKENS',
    'model_length',
    'max_output_tokens',
    'model_context_window_exceeded',
  ],
  content_filter: [
    'content_filter',
    'SAFETY',
    'RECITATION',
    'BLOCKLIST',
    'PROHIBITED_CONTENT',
    'SPII',
    'content_filtered',
    'refusal',
    'content_filter: PROHIBITED_CONTENT',
    'ERROR_TOXIC',
    'guardrail_intervened',
  ],
  tool_calls: ['tool_calls', 'tool_use', 'function_call', 'TOOL_CALL', 'tool-calls'],
  other: ['OTHER', 'pause_turn', 'MALFORMED_FUNCTION_CALL', 'LANGUAGE', 'a word of tomorrow', ''],
}

describe('why a model stopped', () => {
  it.each(Object.entries(WORDS).flatMap(([reason, list]) => list.map(word => [word, reason] as const)))(
    'is read in any vendor’s word, and its own is kept (number 11): %s is %s',
    (raw, reason) => {
      expect(finishOf(raw)).toEqual({ reason, raw })
      expect(isFailedFinish(raw)).toBe(false)
    },
  )

  it.each(['error', 'ERROR', 'insufficient_system_resource', 'abort', 'aborted', 'network_error', 'timeout'])(
    'may be a failure of the vendor’s: %s',
    raw => {
      expect(isFailedFinish(raw)).toBe(true)
    },
  )
})
