import Negotiator from 'negotiator'

/** The content codings that the gateway produces, the better one first. */
const ENCODINGS = ['br', 'gzip'] as const
export type ContentEncoding = (typeof ENCODINGS)[number]

const OFFERED = [...ENCODINGS, 'identity']

const isEncoding = (name: string | undefined): name is ContentEncoding => name === 'br' || name === 'gzip'

/**
 * The content coding that an Accept-Encoding header asks for: of equally welcome ones the better. Undefined for none
 * (`identity`), also where the header refuses that too. Source: RFC 9110, 12.5.3.
 */
export const acceptedEncoding = (header: string | null | undefined): ContentEncoding | undefined => {
  if (!header) return undefined
  const negotiator = new Negotiator({ headers: { 'accept-encoding': header } })
  const [best] = negotiator.encodings(OFFERED, { preferred: ENCODINGS })
  return isEncoding(best) ? best : undefined
}
