import type { Call, RawMembers, RawRequest } from '../llm/types.ts'

const LIMIT_NAMES: ReadonlySet<string> = new Set(['max_tokens', 'max_completion_tokens', 'max_output_tokens'])
const USUAL_NAME = {
  'openai-chat': 'max_completion_tokens',
  'anthropic-messages': 'max_tokens',
  'openai-responses': 'max_output_tokens',
} as const satisfies Record<RawRequest['format'], string>

/** Every limit of output tokens that a body names. */
export const limitsIn = ({ members }: RawRequest): readonly number[] =>
  members.flatMap(([name, value]) => (LIMIT_NAMES.has(name) && Number(value) > 0 ? [Number(value)] : []))

const withLimit = (members: RawMembers, format: RawRequest['format'], tokens: number): RawMembers => {
  if (!members.some(([name]) => LIMIT_NAMES.has(name)))
    return [...members, [USUAL_NAME[format], String(tokens)]]
  return members.map(([name, value]) => [name, LIMIT_NAMES.has(name) ? String(tokens) : value])
}

const clampedRaw = (raw: RawRequest, tokens: number): RawRequest => ({
  ...raw,
  members: withLimit(raw.members, raw.format, tokens),
  ...(raw.resolved && {
    resolved: { ...raw.resolved, members: withLimit(raw.resolved.members, raw.format, tokens) },
  }),
})

/** A call with another limit of output tokens, also in the body that passes on as it came. */
export const clamped = (call: Call, tokens: number): Call => ({
  ...call,
  maxOutputTokens: tokens,
  ...(call.raw && { raw: clampedRaw(call.raw, tokens) }),
})
