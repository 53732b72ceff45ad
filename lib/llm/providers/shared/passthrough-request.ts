import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { memberIn, objectOf } from '../../../raw-json.ts'
import type { FormPart, JsonMember, PassthroughBody, PassthroughRequest } from '../../passthrough.ts'
import type { Call, Target } from '../../types.ts'
import type { ImageOptions } from '../definition.ts'
import { formBody } from './form-body.ts'
import { adaptedImageRequest } from './image-request.ts'
import { withUsage } from './raw-request.ts'
import type { Post } from './upstream.ts'

/** A call's request for a target. */
export type TargetRequest = Readonly<{
  request: PassthroughRequest
  /** Members that the target does not take. */
  omitted: readonly string[]
  /** The stream's usage is requested, which the client did not. */
  addsUsage: boolean
}>

/** The members with one replaced in its place, or put at the end. */
const withMember = (members: readonly JsonMember[], name: string, value: string): readonly JsonMember[] =>
  memberIn(members, name) === undefined
    ? [...members, [name, value]]
    : members.map(member => (member[0] === name ? [name, value] : member))

const wantsUsage = (members: readonly JsonMember[]): boolean =>
  /"include_usage"\s*:\s*true/.test(memberIn(members, 'stream_options') ?? '')

const withModel = (body: PassthroughBody, model: string): PassthroughBody => {
  if (body.kind === 'json')
    return { ...body, members: withMember(body.members, 'model', JSON.stringify(model)) }
  const isModel = (part: FormPart): boolean => part.name === 'model' && 'value' in part
  const part = { name: 'model', value: model }
  const parts = body.parts.some(isModel)
    ? body.parts.map(one => (isModel(one) ? part : one))
    : [...body.parts, part]
  return { ...body, parts }
}

/** The request as the target takes it: as it came, but for its model, a stream's usage, and images' options. */
export const targetRequest = (
  { isFallback, stream }: Call,
  passthrough: PassthroughRequest,
  target: Target,
  deps: Readonly<{ asksForUsage: boolean; imageOptions: ImageOptions | undefined }>,
): TargetRequest => {
  const body = withModel(passthrough.body, target.model)
  const unchanged = { request: { ...passthrough, body }, omitted: [], addsUsage: false }
  if (body.kind === 'form') return unchanged
  const { members } = body
  const { endpoint, namesModel } = passthrough
  if (endpoint === 'completions' && stream && deps.asksForUsage && !wantsUsage(members)) {
    const options = withUsage(memberIn(members, 'stream_options'))
    const asking = withMember(members, 'stream_options', options)
    return { ...unchanged, request: { ...passthrough, body: { ...body, members: asking } }, addsUsage: true }
  }
  if (!endpoint.startsWith('images/') || !deps.imageOptions || (namesModel && !isFallback)) return unchanged
  const adapted = adaptedImageRequest(members, target, deps.imageOptions)
  return {
    request: { ...passthrough, body: { ...body, members: adapted.members } },
    omitted: adapted.omitted,
    addsUsage: false,
  }
}

/** The parts of an HTTP request that depend on its body. */
export type EncodedBody = Readonly<{
  headers: Readonly<Record<string, string>>
  content: Parameters<Post>[1]
}>

/** From this many characters on, JSON is sent in portions: to join and encode it at once would take too long. */
const LARGE = 1_048_576
const PORTION = 262_144
const isHighSurrogate = (code: number): boolean => (code & 0xfc00) === 0xd800

/** The text that `objectOf` makes, in portions of whole characters. */
function* portionsOf(members: readonly JsonMember[]): Generator<string> {
  for (const [index, [name, value]] of members.entries()) {
    yield `${index === 0 ? '{' : ','}${JSON.stringify(name)}:`
    for (let at = 0; at < value.length; ) {
      const end = at + PORTION
      const cut = isHighSurrogate(value.charCodeAt(end - 1)) ? end - 1 : end
      yield value.slice(at, cut)
      at = cut
    }
  }
  yield '}'
}

const jsonBody = (members: readonly JsonMember[]): EncodedBody => {
  const length = members.reduce((sum, [, value]) => sum + value.length, 0)
  if (length < LARGE) return { headers: {}, content: objectOf(members) }
  let bytes = 0
  for (const portion of portionsOf(members)) bytes += Buffer.byteLength(portion)
  const buffers = Readable.from(portionsOf(members), { objectMode: false })
  return { headers: { 'content-length': String(bytes) }, content: buffers }
}

/** A body as it is sent. */
export const encodedBody = (body: PassthroughBody): EncodedBody => {
  if (body.kind === 'json') return jsonBody(body.members)
  const { headers, stream } = formBody(body.parts, `parley-${randomUUID()}`)
  return { headers, content: stream }
}
