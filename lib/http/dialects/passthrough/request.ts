import type { Clock } from '../../../clock.ts'
import { GatewayError } from '../../../errors.ts'
import { formFingerprint } from '../../../idempotency/fingerprint.ts'
import {
  type Endpoint,
  fieldOf,
  isMedia,
  type PassthroughRequest,
  writtenMember,
} from '../../../llm/passthrough.ts'
import { countInputs } from '../../../llm/passthrough-size.ts'
import type { Call } from '../../../llm/types.ts'
import { inTurns } from '../../../loop-turns.ts'
import { type ReceivedForm, receiveForm } from '../../../multipart/receive-form.ts'
import { AttemptBudget, type RequestContext } from '../../../request-context.ts'
import { endpointBody, type JsonEndpoint } from '../../../validation/openai-endpoints.ts'
import { parseOrThrow } from '../../../validation/zod.ts'
import { passBodyGate } from '../../body-gate.ts'
import { headerOptionsOf } from '../../request-headers.ts'
import { type ModelRequestDeps, readModelRequest } from '../model-request.ts'

/** What the requests of endpoints beside chat need of the gateway. */
export type PassthroughDeps = Readonly<{
  clock: Clock
  env: ModelRequestDeps['env'] & Readonly<{ V1_MAX_UPLOAD_BYTES: number; MEDIA_TIMEOUT_MS: number }>
  vendorObjects: ModelRequestDeps['vendorObjects']
  chatDefaults: Readonly<{ requestTimeoutMs: number }>
  /** The directory of files that pass through. */
  mediaDir: string
  modelNamed: (name: string) => string
  defaultModelOf: (endpoint: Endpoint) => string | undefined
}>

const required = (path: string): GatewayError =>
  new GatewayError('INVALID_INPUT', `${path}: is required`, { details: [{ path, message: 'is required' }] })

const modelOf = (name: string | undefined, endpoint: Endpoint, deps: PassthroughDeps): string => {
  if (name !== undefined && name !== '') return deps.modelNamed(name)
  const usual = deps.defaultModelOf(endpoint)
  if (usual === undefined) throw required('model')
  return usual
}

/** Speech begins to play before it is complete. */
const isStreamed = (passthrough: PassthroughRequest): boolean =>
  passthrough.endpoint === 'audio/speech' || /^true$/i.test(streamFieldOf(passthrough))

const streamFieldOf = (passthrough: PassthroughRequest): string => {
  if (passthrough.body.kind === 'form') return fieldOf(passthrough, 'stream') ?? ''
  return writtenMember(passthrough, 'stream') ?? ''
}

const callOf = (
  context: RequestContext,
  request: Request,
  passthrough: PassthroughRequest,
  model: string,
  { clock, env, chatDefaults }: PassthroughDeps,
): Call => {
  const { endpoint } = passthrough
  const timeoutMs = isMedia(endpoint) ? env.MEDIA_TIMEOUT_MS : chatDefaults.requestTimeoutMs
  return {
    ...context,
    messages: [],
    model,
    stream: isStreamed(passthrough),
    passthrough,
    // The time that a slow client takes to send its files does not count.
    deadlineAt: (passthrough.body.kind === 'form' ? clock.now() : context.startedAt) + timeoutMs,
    ...headerOptionsOf(request),
    // The same text has the same vector; every other answer may differ.
    ...(endpoint !== 'embeddings' && { cache: 'no-store' }),
    fallback: true,
    plan: [],
    attempts: new AttemptBudget(),
  }
}

/** A JSON request to an endpoint beside chat as a call. */
export const jsonCall = async (
  endpoint: JsonEndpoint,
  request: Request,
  context: RequestContext,
  deps: PassthroughDeps,
): Promise<Call> => {
  const { value, members: all } = await readModelRequest(request, context, deps)
  const { model } = parseOrThrow(endpointBody[endpoint], value)
  const members = all.filter(([name, written]) => name !== 'model' || written !== 'null')
  const passthrough = {
    endpoint,
    body: { kind: 'json', members },
    namesModel: model !== undefined,
    inputs: await inTurns(countInputs(endpoint, members)),
  } as const
  return callOf(context, request, passthrough, modelOf(model, endpoint, deps), deps)
}

/** A form as a call. `dispose` of its files afterwards. */
export type FormCall = Readonly<{ call: Call; dispose: ReceivedForm['dispose'] }>

/** A form to an endpoint beside chat as a call, its files on disk. */
export const formCall = async (
  endpoint: Endpoint,
  request: Request,
  context: RequestContext,
  deps: PassthroughDeps,
): Promise<FormCall> => {
  const { parts, dispose } = await receiveForm(request, {
    directory: deps.mediaDir,
    maxBytes: deps.env.V1_MAX_UPLOAD_BYTES,
    signal: context.signal,
  })
  try {
    await passBodyGate(request, () => formFingerprint(parts))
    await deps.vendorObjects.assertOwnInForm(context.caller, parts)
    const body = { kind: 'form', parts } as const
    const model = fieldOf({ body }, 'model')
    if (!parts.some(part => 'path' in part)) throw required(isImages(endpoint) ? 'image' : 'file')
    const passthrough = { endpoint, body, namesModel: model !== undefined, inputs: 1 }
    const call = callOf(context, request, passthrough, modelOf(model, endpoint, deps), deps)
    return { call, dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}

const isImages = (endpoint: Endpoint): boolean => endpoint.startsWith('images/')
