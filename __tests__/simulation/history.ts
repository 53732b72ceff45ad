import type { ErrorCode } from '#lib/errors.ts'
import type { ReplyHead } from '#lib/llm/types.ts'

type At<Type extends string, Facts extends object> = Readonly<{ type: Type; at: number } & Facts>

/** How one upstream attempt came to its end. */
export type AttemptEnding = 'complete' | 'failed' | 'aborted' | 'left'

/** One thing that happened in a simulated gateway. `at` is virtual milliseconds since its start. */
export type Happening =
  | At<
      'asked',
      { call: string; caller: string; mark: string; stream: boolean; deadlineAt: number; prompt: boolean }
    >
  | At<'left', { call: string }>
  | At<'replied', { call: string; answer: string; cache: ReplyHead['cache'] }>
  | At<'said', { call: string; text: string }>
  | At<'ended', { call: string; code?: ErrorCode }>
  | At<
      'billed',
      {
        call: string
        answer: string
        cache: ReplyHead['cache']
        outputTokens: number
        costPicoUsd: number | undefined
      }
    >
  | At<'attempt', { attempt: string; call: string; provider: string }>
  | At<'content', { attempt: string }>
  | At<'attempt-over', { attempt: string; how: AttemptEnding; outputTokens: number }>
  | At<'permit', { permit: number; target: string; state: 'closed' | 'half-open' | 'open' }>
  | At<'permit-over', { permit: number }>
  | At<'idle', { timers: number }>
  | At<'rest', { timers: number; listeners: number; freeSlots: Readonly<Record<string, number>> }>

/** All that happened, in order. An answer's id is that of the attempt that gave it. */
export type History = readonly Happening[]

export type Of<Type extends Happening['type']> = Extract<Happening, { type: Type }>

export const all = <Type extends Happening['type']>(history: History, type: Type): Of<Type>[] =>
  history.filter((one): one is Of<Type> => one.type === type)
