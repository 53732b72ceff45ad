import { answers, block, ended, message, started } from './anthropic-behaviour.ts'
import type { Json } from './chat.ts'
import { completes } from './openai-behaviour.ts'
import { type Behaviour, chunk, completion, USAGE } from './upstream-behaviour.ts'

export type Call = Readonly<{ id: string; name: string; input: object | string }>
/** What the model says in one round. */
export type Said = Readonly<{ text?: string; calls?: readonly Call[] }>
/** What it says to a request, whose body is as the upstream received it. */
export type Script = (asked: Json) => Said

const json = ({ input }: Call): string => (typeof input === 'string' ? input : JSON.stringify(input))

/** A model behind OpenAI's chat completions that follows a script. Arguments come in two fragments. */
export const openAiModel =
  (script: Script, usage: object = USAGE): Behaviour =>
  (response, asked, signal) => {
    const { text = '', calls = [] } = script(asked)
    const finish = calls.length > 0 ? 'tool_calls' : 'stop'
    const toolCalls = calls.map(call => ({
      id: call.id,
      type: 'function',
      function: { name: call.name, arguments: json(call) },
    }))
    const whole = completion(asked.model, text, finish)
    const message = {
      role: 'assistant',
      content: text === '' ? null : text,
      ...(calls.length > 0 && { tool_calls: toolCalls }),
    }
    const choices = [{ index: 0, message, finish_reason: finish }]
    const deltas = [
      chunk({ role: 'assistant', content: '' }),
      ...(text === '' ? [] : [chunk({ content: text })]),
      ...toolCalls.flatMap(({ id, type, function: { name, arguments: written } }, index) => [
        chunk({ tool_calls: [{ index, id, type, function: { name, arguments: written.slice(0, 3) } }] }),
        chunk({ tool_calls: [{ index, function: { arguments: written.slice(3) } }] }),
      ]),
      chunk({}, finish),
    ]
    return completes({ ...whole, choices, usage }, deltas)(response, asked, signal)
  }

/** A model behind Anthropic's messages that follows a script. Arguments come in one fragment. */
export const anthropicModel =
  (script: Script): Behaviour =>
  (response, asked, signal) => {
    const { text = '', calls = [] } = script(asked)
    const reason = calls.length > 0 ? 'tool_use' : 'end_turn'
    const content = [
      ...(text === '' ? [] : [{ type: 'text', text }]),
      ...calls.map(({ id, name, input }) => ({ type: 'tool_use', id, name, input })),
    ]
    const blocks = content.flatMap((one, index) =>
      one.type === 'text'
        ? block(index, { type: 'text', text: '' }, { type: 'text_delta', text: (one as Json).text })
        : block(
            index,
            { ...one, input: {} },
            { type: 'input_json_delta', partial_json: JSON.stringify((one as Json).input) },
          ),
    )
    return answers(message(content, reason), [started, ...blocks, ...ended(reason)])(response, asked, signal)
  }

export const weatherCall = (id: string, location: string): Call => ({
  id,
  name: 'weather',
  input: { location },
})
