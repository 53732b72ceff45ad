import { GatewayError } from '../../../errors.ts'
import { inTurns, type Steps } from '../../../loop-turns.ts'
import { changeElements, changeMember, isObject, objectOf } from '../../../raw-json.ts'
import type { ContentPart } from '../../message.ts'
import type { Call, RawRequest, WireFormat } from '../../types.ts'
import { LIMIT_FIELDS, type LimitField } from './unsupported-parameters.ts'

/** What the gateway changes in a body that passes on to an upstream of the same format. */
export type RawChanges = Readonly<{
  model: string
  /** The name that the upstream takes for the limit of output tokens, where it differs from the client's. */
  limitField?: LimitField | undefined
  /** The messages as JSON, where they differ from the client's. */
  messages?: string | undefined
  /** Members that the upstream does not take. */
  omitted: (name: string) => boolean
  /** Whether to ask a stream for its usage. */
  wantsUsage: boolean
  stream: boolean
}>

/** The name that OpenAI's chat completions have for an effort of reasoning. */
const EFFORT = 'reasoning_effort'
const isLimit = (name: string): boolean => LIMIT_FIELDS.some(field => field === name)
const INSTRUCTION_ROLES: ReadonlySet<unknown> = new Set(['"system"', '"developer"'])

/** Messages as JSON with instructions in another role; everything else as it is written. */
export const withInstructionRole = (messages: string, role: string): Steps<string> =>
  changeElements(messages, message =>
    changeMember(message, 'role', own => (INSTRUCTION_ROLES.has(own) ? JSON.stringify(role) : own)),
  )

/** A stream's options that ask for its usage. */
export const withUsage = (streamOptions: string | undefined): string =>
  JSON.stringify({ ...(streamOptions ? JSON.parse(streamOptions) : {}), include_usage: true })

/** Whether a member asks for anything: `null` is as good as absent. @param written its value as JSON */
export const isGiven = (written: string): boolean => written !== 'null'

/** Values of OpenAI's requests by which a client asks for nothing: what a model does anyway. */
const NEUTRAL: Readonly<Record<string, unknown>> = {
  n: 1,
  frequency_penalty: 0,
  presence_penalty: 0,
  logprobs: false,
  top_logprobs: 0,
  store: false,
}

/** Whether a member asks for anything else than what is usual. */
export const asksFor = (name: string, written: string): boolean =>
  isGiven(written) && !(Object.hasOwn(NEUTRAL, name) && JSON.parse(written) === NEUTRAL[name])

/** The names of the members by which a request asks for something, as the client wrote them. */
export const namesIn = ({ members }: RawRequest): readonly string[] =>
  members.flatMap(([name, written]) => (asksFor(name, written) ? [name] : []))

/** A client's body for an upstream of the same format: what is not changed stays as it was written. */
export const rawRequest = (raw: RawRequest, changes: RawChanges): string => {
  const written = new Map(raw.members)
  const members: [string, string][] = []
  for (const [name, value] of written) {
    if (name === 'model') members.push([name, JSON.stringify(changes.model)])
    else if (name === 'stream') members.push([name, String(changes.stream)])
    else if (name === 'stream_options') {
      if (changes.wantsUsage) members.push([name, withUsage(value)])
      else if (changes.stream && !changes.omitted(name)) members.push([name, value])
    } else if (name === 'messages') members.push([name, changes.messages ?? value])
    else if (changes.limitField && isLimit(name)) {
      // A client may have sent both names: the upstream's own one counts.
      if (name === changes.limitField || !written.has(changes.limitField))
        members.push([changes.limitField, value])
    } else if (!changes.omitted(name)) members.push([name, value])
    else if (name === 'reasoning' && !written.has(EFFORT) && !changes.omitted(EFFORT)) {
      const { effort } = JSON.parse(value) ?? {}
      if (effort !== undefined) members.push([EFFORT, JSON.stringify(effort)])
    }
  }
  if (changes.wantsUsage && !written.has('stream_options'))
    members.push(['stream_options', withUsage(undefined)])
  return objectOf(members)
}

/** `rawRequest` with messages that are written in steps; without them the client's own stay. */
export const rawRequestInTurns = (
  raw: RawRequest,
  changes: Omit<RawChanges, 'messages'>,
  messages: Steps<string> | undefined,
): string | Promise<string> =>
  messages
    ? inTurns(messages).then(written => rawRequest(raw, { ...changes, messages: written }))
    : rawRequest(raw, changes)

/** Whether a call's body can pass on as it is to a vendor of that format. */
export const isRawFor = (
  call: Call,
  format: RawRequest['format'],
): call is Call & Readonly<{ raw: RawRequest }> => call.raw?.format === format

/** Refuses to translate a body that only an upstream of its own format understands. Throws GatewayError INVALID_INPUT. */
export const assertTranslatable = ({ raw }: Call): void => {
  if (raw?.untranslatable) throw raw.untranslatable
}

/** A sentence about a part of a call that its request does not honour; `param` has a value that is changed or left out. */
export type CallWarning = Readonly<{ text: string; param?: string }>

/** Refuses a strict call of which a part is left out or changed. Throws GatewayError INVALID_INPUT that names these. */
export const assertAllTaken = (
  { strict }: Call,
  omitted: readonly string[],
  warnings: readonly CallWarning[] = [],
): void => {
  if (!strict) return
  const params = new Set(warnings.flatMap(({ param }) => param ?? []))
  const changed = [...params].filter(param => !omitted.includes(param))
  const refused = [...omitted, ...changed.map(param => `this value of ${param}`)]
  if (refused.length === 0) return
  throw new GatewayError('INVALID_INPUT', `This model does not take ${refused.join(', ')}.`, {
    details: [
      ...omitted.map(path => ({ path, message: 'is not supported by this model' })),
      ...changed.map(path => ({ path, message: 'has a value that is not supported by this model' })),
    ],
  })
}

/** The members of another format's requests that chat completions have too, and their names there where they differ. */
const COUNTERPARTS: Readonly<Partial<Record<WireFormat, Readonly<Record<string, string>>>>> = {
  'anthropic-messages': {
    model: 'model',
    messages: 'messages',
    system: 'messages',
    stream: 'stream',
    max_tokens: 'max_tokens',
    temperature: 'temperature',
    top_p: 'top_p',
    stop_sequences: 'stop',
    tools: 'tools',
    tool_choice: 'parallel_tool_calls',
    thinking: 'reasoning_effort',
    output_config: 'reasoning_effort',
    output_format: 'response_format',
    metadata: 'user',
    service_tier: 'service_tier',
  },
  'openai-responses': {
    input: 'messages',
    'reasoning.effort': 'reasoning_effort',
    'text.format': 'response_format',
    'input_image.detail': 'image_url.detail',
  },
}

const withoutCounterpart = ({ members }: RawRequest, known: Readonly<Record<string, string>>): string[] =>
  members.flatMap(([name, value]) => (!isGiven(value) || Object.hasOwn(known, name) ? [] : name))

/** What other formats cannot say of a block that a part of a message is made of. */
const lostOfBlock = (part: ContentPart): readonly string[] => {
  const block = 'block' in part ? part.block : undefined
  if (block === undefined || block === 'continued') return []
  const { type, citations, context } = block
  return [
    ...(isObject(citations) && citations.enabled === true ? [`messages.${type}.citations`] : []),
    ...(part.type === 'file' && isGivenValue(context) ? [`messages.${type}.context`] : []),
  ]
}

const isGivenValue = (value: unknown): boolean => value !== undefined && value !== null

const lostOfBlocks = ({ messages }: Call): readonly string[] => {
  const lost = new Set<string>()
  for (const { content } of messages)
    if (typeof content !== 'string')
      for (const part of content) for (const name of lostOfBlock(part)) lost.add(name)
  return [...lost]
}

/** Parts of a client's request in another format that a translation leaves out: members, and tools and blocks of its own. */
export const untranslatedIn = (call: Call): readonly string[] => {
  const { raw, parameters } = call
  if (raw?.untranslated) return raw.untranslated
  const known = raw && COUNTERPARTS[raw.format]
  if (raw && !known) return []
  const tools = parameters?.tools?.filter(({ definedBy }) => definedBy !== undefined) ?? []
  return [
    ...(raw && known ? withoutCounterpart(raw, known) : []),
    ...tools.map(({ name }) => `tools.${name}`),
    ...(raw?.leftOut ?? []),
    ...lostOfBlocks(call),
  ]
}

/** Names of the limit of an answer's tokens in all formats, those first that OpenAI's clients use in place of the last. */
const LIMIT_NAMES = ['max_completion_tokens', 'max_output_tokens', 'max_tokens'] as const

/** The name by which a call's client knows it. */
export const limitName = ({ raw }: Call): string => {
  const names = raw ? namesIn(raw) : []
  return LIMIT_NAMES.find(name => names.includes(name)) ?? 'max_tokens'
}

/** The name by which a call's client knows a parameter of chat completions. */
export const clientsName = ({ raw }: Call, name: string): string => {
  const known = Object.entries((raw && COUNTERPARTS[raw.format]) ?? {})
  const names = known.filter(([, theirs]) => theirs === name).map(([own]) => own)
  const isSent = (own: string) =>
    raw?.members.some(([sent, written]) => sent === own.split('.', 1)[0] && isGiven(written))
  return names.find(isSent) ?? names[0] ?? name
}
