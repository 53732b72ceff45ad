import { memberIn } from '../raw-json.ts'

/** OpenAI's endpoints beside chat, by their path below `/v1/`. */
export type Endpoint =
  | 'embeddings'
  | 'completions'
  | 'moderations'
  | 'images/generations'
  | 'images/edits'
  | 'audio/transcriptions'
  | 'audio/translations'
  | 'audio/speech'
  | 'rerank'

/** The purpose of a model that cannot chat. */
export type ModelKind =
  | 'completion'
  | 'embedding'
  | 'moderation'
  | 'image'
  | 'transcription'
  | 'speech'
  | 'rerank'

/** A member of a JSON object: its name, and its value as it is written. */
export type JsonMember = readonly [name: string, value: string]

/** One part of a form: a field, or a file on disk. */
export type FormPart =
  | Readonly<{ name: string; value: string }>
  | Readonly<{ name: string; fileName: string; type: string; path: string; bytes: number }>

/** A request's body as the client sent it, in the order of its members or parts. */
export type PassthroughBody =
  | Readonly<{ kind: 'json'; members: readonly JsonMember[] }>
  | Readonly<{ kind: 'form'; parts: readonly FormPart[] }>

/** A request to an endpoint beside chat. It passes to an upstream unchanged but for its model. */
export type PassthroughRequest = Readonly<{
  endpoint: Endpoint
  body: PassthroughBody
  /** Whether the client named the model; otherwise the gateway's default applies. */
  namesModel: boolean
  /** How many inputs it has, each of which a model reads apart: texts, or lists of tokens; at least 1. */
  inputs: number
}>

/** Whether an endpoint makes or reads images or audio, which takes longer than text. */
export const isMedia = (endpoint: Endpoint): boolean => /^(?:images|audio)\//.test(endpoint)

const jsonText = (written: string): string | undefined => {
  const value: unknown = JSON.parse(written)
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}

type WithBody = Pick<PassthroughRequest, 'body'>

/** A member as it is written; undefined where it is absent, or the body is a form. */
export const writtenMember = ({ body }: WithBody, name: string): string | undefined =>
  body.kind === 'json' ? memberIn(body.members, name) : undefined

/** A string or number of the body as text; undefined where it is absent, or of another type. */
export const fieldOf = ({ body }: WithBody, name: string): string | undefined => {
  if (body.kind === 'json') {
    const written = memberIn(body.members, name)
    return written === undefined ? undefined : jsonText(written)
  }
  const part = body.parts.find(one => one.name === name)
  return part && 'value' in part ? part.value : undefined
}
