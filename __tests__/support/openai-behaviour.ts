import {
  type Behaviour,
  chunk,
  completion,
  refuses,
  says,
  sends,
  sse,
  streamEnd,
  USAGE,
} from './upstream-behaviour.ts'

/** The name that answers of these behaviours have for their model. */
const ANSWERED_BY = 'fake'

/** Answers with this completion, or with these chunks, the usage, and `[DONE]`. */
export const completes = (whole: object, chunks: readonly object[]): Behaviour => {
  const usage = { ...chunk({}), choices: [], usage: USAGE }
  const stream = sends([...[...chunks, usage].map(one => sse(one)), sse('[DONE]')])
  const json = sends([JSON.stringify(whole)], { type: 'application/json' })
  return (response, asked, signal) => (asked.stream ? stream : json)(response, asked, signal)
}

/** Answers with this message, or with these deltas of it. */
const answersWith = (message: object, deltas: readonly object[], finish = 'stop'): Behaviour =>
  completes(
    {
      ...completion(ANSWERED_BY, ''),
      choices: [
        { index: 0, message: { role: 'assistant', content: null, ...message }, finish_reason: finish },
      ],
    },
    [chunk({ role: 'assistant', content: null }), ...deltas.map(delta => chunk(delta)), chunk({}, finish)],
  )

const toolCall = (index: number, city: string) => ({
  id: `call_${index}`,
  type: 'function',
  function: { name: 'weather', arguments: JSON.stringify({ city }) },
})

/** Calls the tool `weather` once for each city, its arguments in two fragments. */
export const callsWeather = (...cities: readonly string[]): Behaviour => {
  const calls = cities.map((city, index) => toolCall(index, city))
  const fragments = calls.flatMap(({ id, type, function: { name, arguments: json } }, index) =>
    [
      { id, type, function: { name, arguments: '' } },
      { function: { arguments: json.slice(0, 8) } },
      { function: { arguments: json.slice(8) } },
    ].map(fields => ({ tool_calls: [{ index, ...fields }] })),
  )
  return answersWith({ tool_calls: calls }, fragments, 'tool_calls')
}

/** Answers with this text, piece by piece. */
export const writes = (...pieces: readonly string[]): Behaviour =>
  answersWith(
    { content: pieces.join(''), refusal: null },
    pieces.map(content => ({ content })),
  )

/** Thinks, and answers. */
export const reasons = (thought: string, answer: string): Behaviour =>
  answersWith({ reasoning_content: thought, content: answer }, [
    ...[...thought].map(letter => ({ reasoning_content: letter })),
    { content: answer },
  ])

const refusesToAnswer: Behaviour = answersWith(
  { refusal: 'I cannot help with that.' },
  ['I cannot ', 'help with that.'].map(refusal => ({ refusal })),
)

const LOGPROBS = {
  content: [{ token: 'Hi', logprob: -0.25, bytes: [72, 105], top_logprobs: [] }],
  refusal: null,
}

const hasLogprobs: Behaviour = completes(
  {
    ...completion(ANSWERED_BY, ''),
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: 'Hi', refusal: null },
        logprobs: LOGPROBS,
        finish_reason: 'stop',
      },
    ],
  },
  [
    {
      ...chunk({}),
      choices: [
        { index: 0, delta: { role: 'assistant', content: 'Hi' }, logprobs: LOGPROBS, finish_reason: null },
      ],
    },
    chunk({}, 'stop'),
  ],
)

const twoChoices: Behaviour = completes(
  {
    ...completion(ANSWERED_BY, ''),
    choices: [0, 1].map(index => ({
      index,
      message: { role: 'assistant', content: `answer ${index}`, refusal: null },
      finish_reason: 'stop',
    })),
  },
  [
    ...['answer ', 'number'].map(content => ({
      ...chunk({}),
      choices: [0, 1].map(index => ({ index, delta: { role: 'assistant', content }, finish_reason: null })),
    })),
    { ...chunk({}), choices: [0, 1].map(index => ({ index, delta: {}, finish_reason: 'stop' })) },
  ],
)

/** A body in pieces of three bytes, so that characters and lines are split. */
export const inThrees = (body: string): Buffer[] => {
  const bytes = Buffer.from(body)
  return Array.from({ length: Math.ceil(bytes.length / 3) }, (_, at) => bytes.subarray(at * 3, at * 3 + 3))
}

/** This text in packets of three bytes. */
export const splits = (text: string): Behaviour => {
  const whole = inThrees(JSON.stringify(completion(ANSWERED_BY, text)))
  const stream = inThrees(sse(chunk({ role: 'assistant', content: text })) + streamEnd())
  return (response, asked, signal) =>
    asked.stream
      ? sends(stream)(response, asked, signal)
      : sends(whole, { type: 'application/json' })(response, asked, signal)
}

export const PIXEL =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

const WEATHER = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'The weather in a city.',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    strict: true,
  },
} as const

const SCHEMA = {
  type: 'object',
  properties: { city: { type: 'string' } },
  required: ['city'],
  additionalProperties: false,
}

/** What a client asks beside the model and the messages, and what the upstream does then. */
export type Fixture = Readonly<{ asked: object; behaviour: Behaviour }>

const user = (content: unknown) => ({ messages: [{ role: 'user', content }] })

/** One of everything that chat completions can say. */
export const CHAT_FIXTURES: Readonly<Record<string, Fixture>> = {
  'plain text': { asked: {}, behaviour: says(['Hello', ' there', '!']) },
  'a tool call': { asked: { tools: [WEATHER] }, behaviour: callsWeather('Köln') },
  'parallel tool calls': {
    asked: { tools: [WEATHER], tool_choice: 'required', parallel_tool_calls: true },
    behaviour: callsWeather('Köln', 'Bonn', '東京'),
  },
  'an image': {
    asked: user([
      { type: 'text', text: 'What is this?' },
      { type: 'image_url', image_url: { url: `data:image/png;base64,${PIXEL}`, detail: 'low' } },
      { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
    ]),
    behaviour: writes('A ', 'pixel.'),
  },
  'a JSON schema': {
    asked: {
      response_format: { type: 'json_schema', json_schema: { name: 'place', schema: SCHEMA, strict: true } },
    },
    behaviour: writes('{"city":', '"Köln"}'),
  },
  reasoning: { asked: { reasoning_effort: 'high' }, behaviour: reasons('Hm, well.', 'Yes.') },
  'a refusal': { asked: {}, behaviour: refusesToAnswer },
  'log probabilities': { asked: { logprobs: true, top_logprobs: 0 }, behaviour: hasLogprobs },
  'two choices (n=2)': { asked: { n: 2 }, behaviour: twoChoices },
  'a long stream of 500 chunks': {
    asked: {},
    behaviour: writes(...Array.from({ length: 500 }, (_, at) => `${at} `)),
  },
  'characters split between packets': { asked: {}, behaviour: splits('Größe 👩‍👩‍👧 東京') },
}

/** A refusal of the upstream's, in OpenAI's form. */
export const refusesAs = (status: number, error: object): Behaviour =>
  refuses(status, { body: JSON.stringify({ error }) })
