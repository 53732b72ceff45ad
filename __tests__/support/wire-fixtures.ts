import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { Dispatcher } from 'undici'
import type { ProviderDefinition } from '#lib/llm/providers/definition.ts'
import { type Post, UpstreamResponse } from '#lib/llm/providers/shared/upstream.ts'
import { UpstreamBody } from '#lib/llm/providers/shared/upstream-body.ts'
import type { Provider, Usage } from '#lib/llm/types.ts'
import { providerDeps } from './provider-deps.ts'

const FIXTURES = join(import.meta.dirname, '../fixtures')

/** What the responses of one provider, written as its documents show them, are to become. */
export type Expected = Readonly<{
  text: string
  raw: string
  usage: Usage
  /** Errors by file name without its ending: a code, then `final` where a retry is no help, or seconds to wait. */
  refusals: Readonly<Record<string, string>>
  /** The code of a stream that breaks off after its first content; absent where there is none of the vendor's own. */
  failing?: string
}>

/** The files of a provider, by name without their ending. */
export const fixturesOf = (provider: string): ReadonlyMap<string, Buffer> =>
  new Map(
    globSync(`${FIXTURES}/${provider}/*`).map(file => [
      basename(file).replace(/\.\w+$/, ''),
      readFileSync(file),
    ]),
  )

export const piecesOf = (body: Buffer, size: number): Buffer[] =>
  Array.from({ length: Math.ceil(body.length / size) }, (_, piece) =>
    body.subarray(piece * size, (piece + 1) * size),
  )

/** The pieces of a body that is cut at these places. */
export const splitAt = (body: Buffer, cuts: readonly number[]): Buffer[] => {
  const at = [0, ...cuts.map(cut => cut % body.length).toSorted((a, b) => a - b), body.length]
  return at
    .slice(1)
    .map((end, index) => body.subarray(at[index], end))
    .filter(({ length }) => length > 0)
}

/** A body whose next piece arrives when the one before it has been read. */
const bodyOf = (pieces: readonly Buffer[]): UpstreamBody => {
  const left = pieces.values()
  const arrive = (): void => {
    const { value, done } = left.next()
    if (done) body.complete()
    else body.push(value)
  }
  const controller = { resume: arrive, pause() {}, abort() {} }
  const body = new UpstreamBody(controller as unknown as Dispatcher.DispatchController)
  arrive()
  return body
}

/** Answers every call with these bytes, in these pieces. */
export const answering =
  (
    statusCode: number,
    type: string,
    pieces: readonly Buffer[],
    headers: Readonly<Record<string, string>> = {},
  ): Post =>
  async () =>
    new UpstreamResponse(statusCode, { 'content-type': type, ...headers }, bodyOf(pieces))

/** A provider whose upstream answers every call with status 200 and these pieces. */
export const providerThatSends = (
  { create }: ProviderDefinition,
  type: string,
  ...pieces: readonly string[]
): Provider =>
  create(
    providerDeps({
      baseUrl: 'http://upstream/v1',
      post: answering(
        200,
        type,
        pieces.map(piece => Buffer.from(piece)),
      ),
    }),
  )
