import { randomBytes } from 'node:crypto'
import { type Caller, ownerOf } from '../caller.ts'
import { GatewayError } from '../errors.ts'

const ID_BYTES = 16

/** A new id: its prefix and 32 hexadecimal digits. */
export const newId = (prefix: 'dataset_' | 'eval_' | 'batch_'): string =>
  `${prefix}${randomBytes(ID_BYTES).toString('hex')}`

/** @throws GatewayError FORBIDDEN */
export const ownerOrThrow = (caller: Caller): string => {
  const owner = ownerOf(caller)
  if (owner === undefined)
    throw new GatewayError(
      'FORBIDDEN',
      'The caller could not be identified, so the evaluation would have no owner.',
    )
  return owner
}
