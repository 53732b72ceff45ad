import { createHash } from 'node:crypto'
import type { RouteResponse } from '../route-response.ts'
import type { ApiDocument } from './document.ts'

/** A document as it is sent. */
export type WrittenDocument = Readonly<{ json: string; etag: string }>

export const writtenDocument = (document: ApiDocument): WrittenDocument => {
  const json = JSON.stringify(document)
  return { json, etag: `"${createHash('sha256').update(json).digest('base64url').slice(0, 22)}"` }
}

const isKnown = (sent: string, etag: string): boolean =>
  sent.trim() === '*' ||
  sent
    .split(',')
    .map(tag => tag.trim().replace(/^W\//, ''))
    .includes(etag)

/** The document, or 304 for a client that has it. Source: RFC 9110, 13.1.2 (weak comparison). */
export const documentResponse = ({ json, etag }: WrittenDocument, request: Request): RouteResponse => {
  const headers = { etag, 'cache-control': 'public, max-age=0, must-revalidate' }
  if (isKnown(request.headers.get('if-none-match') ?? '', etag)) return { status: 304, headers }
  return { text: { type: 'application/json; charset=utf-8', body: json }, headers }
}
