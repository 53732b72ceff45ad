import { GatewayError } from '../../../errors.ts'
import type { Steps } from '../../../loop-turns.ts'
import { changeElements, changeMember, memberIn, objectOf, scanMembers } from '../../../raw-json.ts'
import { type ContentPart, type Message, type ToolCall, textOf } from '../../message.ts'
import { shortToolCallId, toolCallBody } from '../../openai-tool-call.ts'
import type { Call, RawMembers } from '../../types.ts'
import { clientsName } from './raw-request.ts'
import { isAnswerMember, type Unsupported } from './unsupported-parameters.ts'

/** A file's data needs a name; its media type is in the data. */
export const UNNAMED_FILE = 'document.pdf'

type File = Extract<ContentPart, { type: 'file' }>

const isByUrl = (part: ContentPart): part is File =>
  part.type === 'file' && part.url !== undefined && !/^data:/i.test(part.url)

/** Whether a call has a file by its URL, which OpenAI's chat completions do not take. */
export const hasFileByUrl = ({ messages }: Call): boolean =>
  messages.some(({ content }) => typeof content !== 'string' && content.some(isByUrl))

/** Refuses a file by its URL where a vendor takes files by their data alone. Throws GatewayError INVALID_INPUT. */
export const assertFilesTaken = (call: Call, form: Pick<MessageForm, 'fileByUrl'> = {}): void => {
  if (form.fileByUrl || !hasFileByUrl(call)) return
  const path = clientsName(call, 'messages')
  const message = 'has a file by its URL, which this model does not take: send its data'
  throw new GatewayError('INVALID_INPUT', `${path}: ${message}`, { details: [{ path, message }] })
}

const fileFor = (file: File, { fileByUrl }: MessageForm): object => {
  const { url, id, name = url?.startsWith('data:') ? UNNAMED_FILE : undefined } = file
  if (fileByUrl === 'document_url' && isByUrl(file))
    return { type: 'document_url', document_url: url, document_name: name }
  return { type: 'file', file: { filename: name, file_data: url, file_id: id } }
}

const partWithoutBreakpoint = (part: ContentPart, form: MessageForm): object => {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text }
    case 'image': {
      const { url, detail } = part
      return { type: 'image_url', image_url: { url, ...(detail !== undefined && { detail }) } }
    }
    case 'audio':
      return { type: 'input_audio', input_audio: { data: part.base64, format: part.format } }
    case 'file':
      return fileFor(part, form)
    case 'other':
      throw new GatewayError('INVALID_INPUT', `This model takes no content of type ${part.name}.`)
  }
}

const breakpointOf = (part: ContentPart): object | undefined =>
  'cacheControl' in part ? part.cacheControl : undefined

const isOfBlock = (part: ContentPart): boolean => 'block' in part && part.block !== undefined

const partFor = (part: ContentPart, form: MessageForm): object => {
  const breakpoint = breakpointOf(part)
  const sent = partWithoutBreakpoint(part, form)
  return breakpoint === undefined ? sent : { ...sent, cache_control: breakpoint }
}

const isInstruction = ({ role }: Message): boolean => role === 'system' || role === 'developer'

const contentFor = (message: Message, form: MessageForm): string | readonly object[] => {
  const { content } = message
  if (typeof content === 'string') return content
  // OpenAI refuses an empty list.
  if (content.length === 0) return ''
  const hasBreakpoint = content.some(part => breakpointOf(part) !== undefined)
  if (form.takesBreakpoints && hasBreakpoint) return content.map(part => partFor(part, form))
  // Texts that stand apart for a breakpoint or a block alone are one where there is none.
  const isOneText =
    content.every(({ type }) => type === 'text') && (content.length === 1 || isInstruction(message))
  return (hasBreakpoint || content.some(isOfBlock)) && isOneText
    ? textOf(content)
    : content.map(part => partWithoutBreakpoint(part, form))
}

/** What a vendor wants to see of a call that comes back. @param at the call's place among those of its message */
export type ExtraContentOf = (call: ToolCall, at: number) => unknown

/** Changes the order and the ids of a conversation's messages. */
export type ConversationFitting = Readonly<{
  /** Returns the list that it gets where nothing is to be changed. */
  messages: (messages: readonly Message[]) => readonly Message[]
  /** Does so, in steps, for messages that pass on as JSON: all else in them stays as it is written. */
  json: (messages: string) => Steps<string>
}>

/** How a vendor writes the messages of a conversation. */
export type MessageForm = Readonly<{
  /** The role of instructions; they become part of the user's messages where it is undefined. */
  role: 'system' | 'developer' | undefined
  extraContentOf?: ExtraContentOf | undefined
  /** The field of the reasoning that led to tool calls, which models want to see again; not sent when absent. */
  reasoningField?: 'reasoning_content' | 'reasoning'
  /** Makes a conversation with the order and the ids that it takes. */
  fitting?: ConversationFitting
  /** It takes Anthropic's breakpoints of the prompt cache (`cache_control`) on parts of messages. */
  takesBreakpoints?: true
  /** The member in which it takes a file by its URL; absent where it takes files by their data alone. */
  fileByUrl?: 'file_data' | 'document_url'
  /** It goes on with an answer that has begun only where that is marked. */
  marksPrefix?: true
  /** It takes of an earlier answer its content and its tool calls alone. */
  takesBareAnswers?: boolean
}>

type Assistant = Extract<Message, { role: 'assistant' }>
type ToolResult = Extract<Message, { role: 'tool' }>

const reasoningFor = (
  { reasoning = [], toolCalls = [] }: Assistant,
  { reasoningField, takesBareAnswers }: MessageForm,
) => {
  const text = reasoning.map(one => one.text).join('')
  return reasoningField && !takesBareAnswers && text !== '' && toolCalls.length > 0
    ? { [reasoningField]: text }
    : {}
}

/** An answer whose refusal is its text, where it has no other. */
const plainAnswer = ({ refusal = '', ...message }: Assistant): Assistant =>
  message.content.length === 0 ? { ...message, content: refusal } : message

const assistantFor = (given: Assistant, form: MessageForm, isLast: boolean): object => {
  const message = form.takesBareAnswers ? plainAnswer(given) : given
  const content = contentFor(message, form)
  const { toolCalls = [], refusal } = message
  return {
    role: 'assistant',
    content: content.length === 0 && toolCalls.length > 0 ? null : content,
    ...reasoningFor(message, form),
    ...(refusal !== undefined && { refusal }),
    ...(toolCalls.length > 0 && {
      tool_calls: toolCalls.map((call, at) =>
        toolCallBody({ ...call, extraContent: form.extraContentOf?.(call, at) }),
      ),
    }),
    ...(form.marksPrefix && isLast && toolCalls.length === 0 && { prefix: true }),
  }
}

/** A tool's result; a breakpoint of the prompt cache stands on its last part, unless it is empty. */
const resultFor = (message: ToolResult, form: MessageForm): string | readonly object[] => {
  const content = contentFor(message, form)
  const { cacheControl } = message
  if (!form.takesBreakpoints || !cacheControl || content === '') return content
  const parts = typeof content === 'string' ? [{ type: 'text', text: content }] : content
  return parts.map((part, at) => (at === parts.length - 1 ? { ...part, cache_control: cacheControl } : part))
}

const messageFor = (message: Message, form: MessageForm, isLast: boolean): object => {
  if (message.role === 'assistant') return assistantFor(message, form, isLast)
  return message.role === 'tool'
    ? { role: 'tool', tool_call_id: shortToolCallId(message.toolCallId), content: resultFor(message, form) }
    : { role: message.role, content: contentFor(message, form) }
}

/** Merges instructions into the user's message after them, or into a separate one where none follows. */
const withoutInstructions = (messages: readonly Message[]): readonly Message[] => {
  const found: Message[] = []
  let waiting: string[] = []
  for (const message of messages) {
    if (isInstruction(message)) waiting.push(textOf(message.content))
    else if (message.role === 'user' && waiting.length > 0) {
      const { content } = message
      const instruction = waiting.join('\n\n')
      found.push({
        role: 'user',
        content:
          typeof content === 'string'
            ? `${instruction}\n\n${content}`
            : [{ type: 'text', text: instruction }, ...content],
      })
      waiting = []
    } else found.push(message)
  }
  if (waiting.length > 0) found.push({ role: 'user', content: waiting.join('\n\n') })
  return found
}

/** The role of instructions that a model takes; `undefined` where it takes none. */
export const instructionRole = (unsupported: Unsupported): 'system' | 'developer' | undefined => {
  if (!unsupported.has('system')) return 'system'
  return unsupported.has('developer') ? undefined : 'developer'
}

const ELSEWHERE = 'The result is attached to the next message.'

const isMedium = ({ type }: ContentPart): boolean => type === 'image' || type === 'file' || type === 'audio'

/**
 * OpenAI's results of tools are text: images and files in them become a user's message, after all results of the turn.
 */
const withTextResults = (messages: readonly Message[]): readonly Message[] => {
  if (!messages.some(({ role, content }) => role === 'tool' && typeof content !== 'string')) return messages
  const found: Message[] = []
  let media: ContentPart[] = []
  for (const message of messages) {
    const { role, content } = message
    if (role !== 'tool' && media.length > 0) {
      found.push({ role: 'user', content: media })
      media = []
    }
    if (role === 'tool' && typeof content !== 'string') {
      media.push(...content.filter(isMedium))
      const rest = content.filter(part => !isMedium(part))
      found.push({ ...message, content: rest.length === 0 && content.length > 0 ? ELSEWHERE : rest })
    } else found.push(message)
  }
  return media.length > 0 ? [...found, { role: 'user', content: media }] : found
}

/** A conversation as OpenAI's chat messages. */
export const messagesFor = (messages: readonly Message[], form: MessageForm): readonly object[] => {
  const { role, fitting } = form
  const textual = withTextResults(messages)
  const sent = fitting?.messages(textual) ?? textual
  const taken = role
    ? sent.map(message => (isInstruction(message) ? ({ ...message, role } as Message) : message))
    : withoutInstructions(sent)
  return taken.map((message, at) => messageFor(message, form, at === taken.length - 1))
}

const ASSISTANT = '"assistant"'
const isAnswer = (members: RawMembers): boolean => memberIn(members, 'role') === ASSISTANT
const hasContent = (content: string | undefined): boolean =>
  content !== undefined && content !== 'null' && content !== '""'

function* bareAnswer(message: string): Steps<string> {
  const members = yield* scanMembers(message)
  if (!isAnswer(members) || !members.some(([name]) => isAnswerMember(name))) return message
  const refusal = memberIn(members, 'refusal')
  // A call in the earlier form is a part of the conversation.
  const isCall = (name: string, value: string) => name === 'function_call' && value.startsWith('{')
  const kept = members.filter(([name, value]) => !isAnswerMember(name) || isCall(name, value))
  const bare = objectOf(kept)
  return refusal?.startsWith('"') && !hasContent(memberIn(members, 'content'))
    ? yield* changeMember(bare, 'content', () => refusal)
    : bare
}

/** A client's messages whose earlier answers have their content and tool calls alone; all else as it is written. */
export const withBareAnswers = (messages: string): Steps<string> => changeElements(messages, bareAnswer)

/** Whether a vendor wants to see of a call what it comes back without. */
export const lacksExtraContent = (messages: readonly Message[], extraContentOf: ExtraContentOf): boolean =>
  messages.some(
    message =>
      message.role === 'assistant' &&
      message.toolCalls?.some((call, at) => extraContentOf(call, at) !== call.extraContent),
  )

const NO_CALL = { id: '', name: '', arguments: '' }

/** A client's message with what a vendor wants to see of the tool calls in it. */
function* withExtra(message: string, extraContentOf: ExtraContentOf): Steps<string> {
  const calls = memberIn(yield* scanMembers(message), 'tool_calls')
  if (!calls?.startsWith('[')) return message
  const extended = yield* changeElements(calls, (call, at) =>
    changeMember(call, 'extra_content', written => {
      if (written !== undefined && written !== 'null') return written
      const wanted = extraContentOf(NO_CALL, at)
      return wanted === undefined ? written : JSON.stringify(wanted)
    }),
  )
  return yield* changeMember(message, 'tool_calls', () => extended)
}

/** A client's messages with what a vendor wants to see of the tool calls in them; all else as it is written. */
export const withExtraContent = (messages: string, extraContentOf: ExtraContentOf): Steps<string> =>
  changeElements(messages, message => withExtra(message, extraContentOf))
