import { randomBytes } from 'node:crypto'
import { type Caller, ownerOf } from '../../caller.ts'
import { GatewayError } from '../../errors.ts'

/** @throws GatewayError FORBIDDEN for a caller who cannot be identified */
export const ownerOrThrow = (caller: Caller): string => {
  const owner = ownerOf(caller)
  if (owner === undefined)
    throw new GatewayError(
      'FORBIDDEN',
      'The caller could not be identified, so files and batches would have no owner.',
    )
  return owner
}

const ID_BYTES = 16

/** A new id: the prefix and 32 hexadecimal digits, from a cryptographic source. */
export const newId = (prefix: string): string => `${prefix}${randomBytes(ID_BYTES).toString('hex')}`
