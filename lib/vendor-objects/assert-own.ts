import { isFileId } from '../batch/v1/types.ts'
import type { Caller } from '../caller.ts'
import { GatewayError } from '../errors.ts'
import type { FormPart } from '../llm/passthrough.ts'
import { inTurns } from '../loop-turns.ts'
import { referencesInForm, scanReferences, type VendorReference } from './references.ts'
import { hasThread, threadRefused } from './thread.ts'

export type VendorObjectDeps = Readonly<{
  /** Whether every caller may refer to every object of the account. */
  isAllowed: () => boolean | Promise<boolean>
  /** The ids that this caller's own answers hold. */
  ownIds: (caller: Caller, ids: readonly string[]) => Promise<ReadonlySet<string>>
}>

/** Refuses references to objects at a vendor that are not the caller's. Both reject with INVALID_INPUT. */
export type VendorObjects = Readonly<{
  assertOwn: (caller: Caller, value: unknown) => Promise<void>
  assertOwnInForm: (caller: Caller, parts: readonly FormPart[]) => Promise<void>
}>

const messageFor = ({ kind, id }: VendorReference): string => {
  if (kind === 'file' && isFileId(id))
    return 'cannot be a file of this gateway: those are for batches; send the content of the file in its place'
  const instead = kind === 'file' ? '; send the content of the file in its place' : ''
  return `names a ${kind} at the provider that is not known to be yours${instead}`
}

const refusal = (reference: VendorReference): GatewayError => {
  const message = messageFor(reference)
  const { path } = reference
  return new GatewayError('INVALID_INPUT', `${path} ${message}.`, { details: [{ path, message }] })
}

/**
 * All callers share the gateway's account at a vendor, which serves any of them an object of another by its id. So an id
 * is let through only where an answer of the caller's own named it.
 */
export const vendorObjects = ({ isAllowed, ownIds }: VendorObjectDeps): VendorObjects => {
  const assertKnown = async (caller: Caller, references: readonly VendorReference[]): Promise<void> => {
    if (references.length === 0) return
    const own = await ownIds(caller, [...new Set(references.map(({ id }) => id))])
    const foreign = references.find(({ id }) => !own.has(id))
    if (foreign) throw refusal(foreign)
  }
  return {
    async assertOwn(caller, value) {
      if (await isAllowed()) return
      if (hasThread(value)) throw threadRefused()
      await assertKnown(caller, await inTurns(scanReferences(value)))
    },
    async assertOwnInForm(caller, parts) {
      if (!(await isAllowed())) await assertKnown(caller, referencesInForm(parts))
    },
  }
}
