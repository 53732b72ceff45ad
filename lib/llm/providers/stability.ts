import { GatewayError } from '../../errors.ts'
import type { Attempt } from '../../request-context.ts'
import { oneGroup } from '../events.ts'
import { fieldOf, type PassthroughRequest } from '../passthrough.ts'
import type { Call, Provider, Reply, Target } from '../types.ts'
import type { ImageOptions, ProviderDefinition, ProviderDeps } from './definition.ts'
import { openAiCompatible } from './shared/chat-completions.ts'
import { formBody } from './shared/form-body.ts'
import { fieldsOf, parseJson, wordIn } from './shared/lenient.ts'
import { passthroughOf, responseError } from './shared/passthrough.ts'
import { asksFor, assertAllTaken } from './shared/raw-request.ts'
import { attemptHeaders, readText } from './shared/upstream.ts'
import { connectionError, malformedResponse } from './shared/upstream-error.ts'

const ID = 'stability'
const OWN_PATH = '/v2beta'
const OWN_HOST = 'api.stability.ai'
const MAX_ANSWER_BYTES = 64 * 1024 * 1024
const JSON_TYPE = 'application/json'

/** It has neither qualities nor styles. */
const IMAGE_OPTIONS: ImageOptions = {
  drops: ['style', 'quality', 'background', 'moderation', 'output_compression', 'user'],
}

/** Its nearest aspect ratio for a size. Source: platform.stability.ai/docs/api-reference, "aspect_ratio". */
const RATIOS = ['21:9', '16:9', '3:2', '5:4', '1:1', '4:5', '2:3', '9:16', '9:21'] as const

const ratioOf = (text: string, separator: string): number => {
  const [width = 1, height = 1] = text.split(separator).map(Number)
  return width / height
}

const aspectRatio = (size: string | undefined): string => {
  const wanted = Math.log(ratioOf(size ?? '1x1', 'x'))
  if (!Number.isFinite(wanted)) return '1:1'
  const distance = (ratio: string): number => Math.abs(Math.log(ratioOf(ratio, ':')) - wanted)
  return RATIOS.reduce<string>((best, ratio) => (distance(ratio) < distance(best) ? ratio : best), '1:1')
}

/** The path of a model, which `sd3…` names in a field besides. */
const pathOf = (model: string): string => {
  if (model.startsWith('sd3')) return 'sd3'
  return model.endsWith('ultra') ? 'ultra' : 'core'
}

/** Stable Image in OpenAI's format: the image as Base64, or as a data URL where a URL is asked for. */
const answerOf = (call: Call, text: string, now: number): string => {
  const image = wordIn(fieldsOf(parseJson(text))?.image)
  if (image === undefined) throw malformedResponse(ID, 'missing image')
  const isBase64 = fieldOf(passthroughOf(call), 'response_format') === 'b64_json'
  const one = isBase64 ? { b64_json: image } : { url: `data:image/png;base64,${image}` }
  return JSON.stringify({ created: Math.floor(now / 1000), data: [one] })
}

/** What its own API takes of a request in OpenAI's format, besides the format of the answer. */
const TAKEN: ReadonlySet<string> = new Set(['model', 'prompt', 'size', 'response_format'])

/** The members that it does not take. One image is what it makes anyway. */
const omittedIn = ({ body }: PassthroughRequest): readonly string[] =>
  body.kind === 'json'
    ? body.members.flatMap(([name, written]) => (TAKEN.has(name) || !asksFor(name, written) ? [] : [name]))
    : []

const generate = async (call: Call, target: Target, deps: ProviderDeps, attempt: Attempt): Promise<Reply> => {
  const { clock, newId, post, apiKey, baseUrl } = deps
  const request = passthroughOf(call)
  const omitted = omittedIn(request)
  assertAllTaken(call, omitted)
  const parts = Object.entries({
    prompt: fieldOf(request, 'prompt') ?? '',
    aspect_ratio: aspectRatio(fieldOf(request, 'size')),
    output_format: 'png',
    ...(target.model.startsWith('sd3') && { model: target.model }),
  }).map(([name, value]) => ({ name, value }))
  const { headers, stream } = formBody(parts, `parley-${newId()}`)
  const url = `${new URL(baseUrl).origin}${OWN_PATH}/stable-image/generate/${pathOf(target.model)}`
  const own = {
    authorization: `Bearer ${apiKey}`,
    accept: JSON_TYPE,
    ...headers,
    ...attemptHeaders(call, attempt),
  }
  const failed = (thrown: unknown): never => {
    throw connectionError(ID, call.signal, thrown)
  }
  const response = await post({ url, headers: own }, stream, call.signal).catch(failed)
  if (!response.ok) throw await responseError(response, ID, deps)
  const answer = answerOf(
    call,
    await readText(response.decoded(), MAX_ANSWER_BYTES).catch(failed),
    clock.now(),
  )
  const usage = { inputTokens: 0, outputTokens: 0, billed: { unit: 'unknown' } } as const
  return {
    head: {
      id: newId(),
      target,
      cache: 'miss',
      mediaType: JSON_TYPE,
      ...(omitted.length > 0 && { omitted }),
    },
    usage: Promise.resolve(usage),
    events: oneGroup([
      { type: 'body-text', text: answer },
      { type: 'finish', reason: 'stop' },
    ]),
  }
}

/** Its own API, which makes images alone. Source: platform.stability.ai/docs/api-reference, "Generate". */
const ownApi = (deps: ProviderDeps): Provider => ({
  id: ID,
  endpoints: new Set(['images/generations']),
  ask: async () => {
    throw new GatewayError('INVALID_INPUT', 'Stability AI makes images alone.')
  },
  pass: (call, target, attempt) => generate(call, target, deps, attempt),
})

/** Whether a base URL is that of its own API, and not of an OpenAI-compatible server. */
const isOwnApi = (baseUrl: string): boolean => {
  const { hostname, pathname } = new URL(baseUrl)
  return hostname === OWN_HOST || pathname.startsWith(OWN_PATH)
}

/** Stability AI, or at a base URL of your own any OpenAI-compatible server of images. Its price is not known here. */
export const stability: ProviderDefinition = {
  id: ID,
  defaultBaseUrl: `https://${OWN_HOST}${OWN_PATH}`,
  env: {
    apiKey: 'STABILITY_API_KEY',
    baseUrl: 'STABILITY_BASE_URL',
    keysPage: 'https://platform.stability.ai/account/keys',
  },
  models: [{ id: 'stable-diffusion', kind: 'image' }],
  defaultModels: { 'images/generations': 'stable-diffusion' },
  create: deps =>
    isOwnApi(deps.baseUrl)
      ? ownApi(deps)
      : openAiCompatible({ ...deps, variant: { provider: ID, imageOptions: () => IMAGE_OPTIONS } }),
}
