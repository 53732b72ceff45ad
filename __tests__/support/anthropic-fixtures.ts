import { answers, block, ended, message, sseOf, started, texts } from './anthropic-behaviour.ts'
import { type Fixture, inThrees, PIXEL } from './openai-behaviour.ts'
import { type Behaviour, sends } from './upstream-behaviour.ts'

const WEATHER = {
  name: 'weather',
  description: 'The weather in a city.',
  input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
}

const toolUse = (index: number, input: object) => ({
  type: 'tool_use',
  id: `toolu_${index}`,
  name: 'weather',
  input,
})

/** Says what it does, and uses the tool `weather` once for each city, its input in two fragments. */
export const usesWeather = (...cities: readonly string[]): Behaviour => {
  const text = { type: 'text', text: 'I look.' }
  return answers(message([text, ...cities.map((city, at) => toolUse(at, { city }))], 'tool_use'), [
    started,
    ...block(0, { type: 'text', text: '' }, { type: 'text_delta', text: text.text }),
    ...cities.flatMap((city, at) => {
      const json = JSON.stringify({ city })
      return block(
        at + 1,
        toolUse(at, {}),
        { type: 'input_json_delta', partial_json: json.slice(0, 8) },
        { type: 'input_json_delta', partial_json: json.slice(8) },
      )
    }),
    ...ended('tool_use'),
  ])
}

/** Thinks, thinks in secret, and answers. */
export const thinks = (thought: string, answer: string): Behaviour =>
  answers(
    message([
      { type: 'thinking', thinking: thought, signature: 'c2ln' },
      { type: 'redacted_thinking', data: 'c2VjcmV0' },
      { type: 'text', text: answer },
    ]),
    [
      started,
      ...block(
        0,
        { type: 'thinking', thinking: '', signature: '' },
        { type: 'thinking_delta', thinking: thought },
        { type: 'signature_delta', signature: 'c2ln' },
      ),
      ...block(1, { type: 'redacted_thinking', data: 'c2VjcmV0' }),
      ...block(2, { type: 'text', text: '' }, { type: 'text_delta', text: answer }),
      ...ended(),
    ],
  )

const refusesToAnswer = answers(message([], 'refusal'), [started, ...ended('refusal')])

const splits = (text: string): Behaviour => {
  const stream = inThrees(
    sseOf(started, ...block(0, { type: 'text', text: '' }, { type: 'text_delta', text }), ...ended()),
  )
  const whole = inThrees(JSON.stringify(message([{ type: 'text', text }])))
  return (response, asked, signal) =>
    asked.stream
      ? sends(stream)(response, asked, signal)
      : sends(whole, { type: 'application/json' })(response, asked, signal)
}

/** One of everything that Anthropic's messages can say. */
export const MESSAGE_FIXTURES: Readonly<Record<string, Fixture>> = {
  'plain text': { asked: {}, behaviour: texts('Hello', ' there', '!') },
  'a tool use': { asked: { tools: [WEATHER] }, behaviour: usesWeather('Köln') },
  'parallel tool uses': {
    asked: { tools: [WEATHER], tool_choice: { type: 'any' } },
    behaviour: usesWeather('Köln', 'Bonn', '東京'),
  },
  'an image': {
    asked: {
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is this?' },
            { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PIXEL } },
          ],
        },
      ],
    },
    behaviour: texts('A ', 'pixel.'),
  },
  'a JSON schema': {
    asked: {
      output_config: {
        format: { type: 'json_schema', schema: { type: 'object', properties: { city: { type: 'string' } } } },
      },
    },
    behaviour: texts('{"city":', '"Köln"}'),
  },
  reasoning: {
    asked: { max_tokens: 4_000, thinking: { type: 'enabled', budget_tokens: 2_000 } },
    behaviour: thinks('Hm, well.', 'Yes.'),
  },
  'a refusal': { asked: {}, behaviour: refusesToAnswer },
  'a long stream of 500 deltas': {
    asked: {},
    behaviour: texts(...Array.from({ length: 500 }, (_, at) => `${at} `)),
  },
  'characters split between packets': { asked: {}, behaviour: splits('Größe 👩‍👩‍👧 東京') },
}
