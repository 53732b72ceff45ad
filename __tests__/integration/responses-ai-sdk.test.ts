import { createOpenAI } from '@ai-sdk/openai'
import { generateText, isStepCount, Output, streamText, tool } from 'ai'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { HOSTS } from '../support/gateway.ts'
import {
  callItem,
  frame,
  isResponsesRequest,
  messageItem,
  nativeEvents,
  nativeResponse,
  responds,
} from '../support/responses-behaviour.ts'
import {
  type Behaviour,
  chunk,
  completion,
  inTurn,
  says,
  sends,
  sse,
  streamEnd,
} from '../support/upstream-behaviour.ts'
import {
  startUpstreamGateway,
  stopUpstreamGateway,
  type UpstreamGateway,
} from '../support/upstream-gateway.ts'

const PLACE = '{"city":"Köln"}'
const CALL = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: PLACE } }

const chatCall: Behaviour = (response, asked, signal) =>
  asked.stream
    ? sends([
        sse(chunk({ reasoning_content: 'Hm' })),
        sse(chunk({ tool_calls: [{ index: 0, ...CALL }] })),
        streamEnd('tool_calls'),
      ])(response, asked, signal)
    : sends(
        [
          JSON.stringify({
            ...completion('local', '', 'tool_calls'),
            choices: [
              {
                index: 0,
                message: { role: 'assistant', content: null, reasoning_content: 'Hm', tool_calls: [CALL] },
                finish_reason: 'tool_calls',
              },
            ],
          }),
        ],
        { type: 'application/json' },
      )(response, asked, signal)

const native = (text: string) => responds(nativeResponse('resp_1', [messageItem('msg_1', text)]))
const nativeCall = responds(nativeResponse('resp_0', [callItem('fc_1', 'call_1', 'weather', PLACE)]))

/** Behaves by the format in which the upstream is asked. */
const either =
  (ofResponses: Behaviour, ofChat: Behaviour): Behaviour =>
  (...asked) =>
    (isResponsesRequest(asked[1]) ? ofResponses : ofChat)(...asked)

const weather = tool({
  description: 'The weather',
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `Sunny in ${city}`,
})

describe.each(HOSTS.flatMap(host => [[host, 'gpt-4o'] as const, [host, 'openai-compatible/local'] as const]))(
  'The AI SDK through the %s server, with the model %s',
  (host, model) => {
    let setting: UpstreamGateway
    let parley: ReturnType<typeof createOpenAI>

    beforeAll(async () => {
      setting = await startUpstreamGateway(host, baseUrl => ({
        ENABLE_CACHING: 'false',
        MAX_RETRIES: '0',
        BREAKER_FAILURES: '1000',
        OPENAI_COMPATIBLE_BASE_URL: baseUrl,
      }))
      parley = createOpenAI({ baseURL: `${setting.gateway.url}/v1`, apiKey: 'any' })
    })
    beforeEach(
      () => void setting.upstream.usually(either(native('Hello there!'), says(['Hello', ' there!']))),
    )
    afterAll(() => stopUpstreamGateway(setting ?? {}))

    it('generates text with its usage', async () => {
      const { text, usage, finishReason } = await generateText({ model: parley(model), prompt: 'Hi' })
      expect(text).toBe('Hello there!')
      expect(finishReason).toBe('stop')
      expect(usage.outputTokens).toBe(model === 'gpt-4o' ? 9 : 5)
    })

    it('streams text', async () => {
      const stream = streamText({ model: parley(model), prompt: 'Hi' })
      const pieces: string[] = []
      for await (const piece of stream.textStream) pieces.push(piece)
      expect(pieces.length).toBeGreaterThan(1)
      expect(pieces.join('')).toBe('Hello there!')
      expect(await stream.finishReason).toBe('stop')
    })

    it.each(['generateText', 'streamText'] as const)('runs tools and goes on, by %s', async how => {
      setting.upstream.usually(
        either(inTurn(nativeCall, native('Sunny.')), inTurn(chatCall, says(['Sunny.']))),
      )
      const asked = {
        model: parley(model),
        prompt: 'Weather in Köln?',
        tools: { weather },
        stopWhen: isStepCount(3),
      }
      const result = how === 'generateText' ? await generateText(asked) : streamText(asked)
      expect(await result.text).toBe('Sunny.')
      const [step] = await result.steps
      expect(step?.toolResults).toMatchObject([{ input: { city: 'Köln' }, output: 'Sunny in Köln' }])
      const last = JSON.parse(setting.upstream.calls.at(-1)?.body ?? '{}')
      expect(JSON.stringify(last)).toContain('Sunny in Köln')
      if (model !== 'gpt-4o')
        expect(last.messages).toMatchObject([
          { role: 'user' },
          { role: 'assistant', tool_calls: [CALL] },
          { role: 'tool', tool_call_id: 'call_1' },
        ])
    })

    it('gives structured output', async () => {
      setting.upstream.usually(either(native(PLACE), says([PLACE])))
      const { output } = await generateText({
        model: parley(model),
        prompt: 'Where?',
        output: Output.object({ schema: z.object({ city: z.string() }) }),
      })
      expect(output).toEqual({ city: 'Köln' })
    })

    it('reports an interrupted upstream as one error', async () => {
      const cut = nativeEvents(nativeResponse('resp_1', [messageItem('msg_1', 'Hello')])).slice(0, 5)
      setting.upstream.usually(either(sends(cut.map(frame)), sends([sse(chunk({ content: 'Hello' }))])))
      const errors: unknown[] = []
      const stream = streamText({
        model: parley(model),
        prompt: 'Hi',
        onError: ({ error }) => void errors.push(error),
      })
      for await (const _ of stream.fullStream);
      expect(errors).toHaveLength(1)
    })
  },
)
