import { randomUUID } from 'node:crypto'
import { objectOf } from '../../../raw-json.ts'
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

const writtenIn = (members: readonly JsonMember[], name: string): string | undefined =>
  members.find(member => member[0] === name)?.[1]

/** The members with one replaced in its place, or put at the end. */
const withMember = (members: readonly JsonMember[], name: string, value: string): readonly JsonMember[] =>
  writtenIn(members, name) === undefined
    ? [...members, [name, value]]
    : members.map(member => (member[0] === name ? [name, value] : member))

const wantsUsage = (members: readonly JsonMember[]): boolean =>
  /"include_usage"\s*:\s*true/.test(writtenIn(members, 'stream_options') ?? '')

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
    const options = withUsage(writtenIn(members, 'stream_options'))
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
export const encodedBody = (
  body: PassthroughBody,
): Readonly<{ headers: Readonly<Record<string, string>>; content: Parameters<Post>[1] }> => {
  if (body.kind === 'json') return { headers: {}, content: objectOf(body.members) }
  const { headers, stream } = formBody(body.parts, `parley-${randomUUID()}`)
  return { headers, content: stream }
}
