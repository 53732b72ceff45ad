import type { JsonMember } from '../../passthrough.ts'
import type { Target } from '../../types.ts'
import type { ImageOptions } from '../definition.ts'
import { isGiven } from './raw-request.ts'

/** A request for images for another model than the client's, and the members that this leaves out. */
export type AdaptedImageRequest = Readonly<{ members: readonly JsonMember[]; omitted: readonly string[] }>

type Shape = 'wide' | 'tall' | 'square'

const shapeOf = (size: string): Shape => {
  const [width = 0, height = 0] = size.split('x').map(Number)
  if (width > height) return 'wide'
  return height > width ? 'tall' : 'square'
}

/** The model's size for a requested one: the same, else one of the same shape, else the usual one. */
const sizeFor = (requested: string, sizes: readonly string[]): string | undefined =>
  sizes.includes(requested)
    ? requested
    : (sizes.find(size => shapeOf(size) === shapeOf(requested)) ?? sizes[0])

const textIn = (written: string): string => {
  const value: unknown = JSON.parse(written)
  return typeof value === 'string' ? value : written
}

/** Adapts a member; undefined where the model does not take it. */
const adapted = ([name, written]: JsonMember, target: Target, options: ImageOptions) => {
  const { sizes, qualities, drops, mostImages } = options
  if (drops.includes(name)) return undefined
  if (name === 'size' && sizes) {
    const size = sizeFor(textIn(written), sizes)
    return size === undefined ? undefined : JSON.stringify(size)
  }
  if (name === 'quality' && target.quality !== undefined) return JSON.stringify(target.quality)
  if (name === 'quality') return qualities?.includes(textIn(written)) ? written : undefined
  if (name === 'n' && mostImages !== undefined && Number(written) > mostImages) return String(mostImages)
  return written
}

/**
 * A request for images as another model takes it: its sizes, its qualities, without members that it refuses.
 * @param target with the quality to request, where the chain names one
 */
export const adaptedImageRequest = (
  members: readonly JsonMember[],
  target: Target,
  options: ImageOptions,
): AdaptedImageRequest => {
  const kept: JsonMember[] = []
  const omitted: string[] = []
  for (const member of members) {
    if (!isGiven(member[1])) continue
    const value = adapted(member, target, options)
    if (value === undefined) omitted.push(member[0])
    else kept.push([member[0], value])
  }
  if (target.quality !== undefined && !kept.some(([name]) => name === 'quality'))
    kept.push(['quality', JSON.stringify(target.quality)])
  return { members: kept, omitted }
}
