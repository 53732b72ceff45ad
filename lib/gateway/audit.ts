import { writeAnchor } from '../audit/anchor-file.ts'
import { AuditRecords } from '../audit/records.ts'
import { AuditService, requestedBy } from '../audit/service.ts'
import type { AuditAnchor } from '../audit/types.ts'
import { Guesses } from '../auth/guesses.ts'
import type { Handler } from '../compose.ts'
import type { ConfigFile } from '../config/file-schema.ts'
import { type GatewayError, toGatewayError } from '../errors.ts'
import { identifiedCaller, type RequestContext } from '../request-context.ts'
import type { Runtime } from './runtime.ts'

const component = 'audit'

/** The audit log of all gateways on the database. Its anchors are in the log and in a file of `DATA_DIR`. */
export const buildAudit = ({ env, database, logger }: Runtime): AuditService => {
  const keepAnchor = (anchor: AuditAnchor): void => {
    logger.info({ component, auditSequence: anchor.sequence, auditHash: anchor.hash }, 'audit log anchor')
    try {
      writeAnchor(env.DATA_DIR, anchor)
    } catch (err) {
      logger.warn({ err, component }, 'the anchor of the audit log could not be written to DATA_DIR')
    }
  }
  const { records, clock, reportError } = database
  return new AuditService({ records: new AuditRecords(records), clock, keepAnchor, onError: reportError })
}

type Admission = Handler<RequestContext, RequestContext>

/**
 * Admits an admin who signs in, and records refusals: as many in a minute as may be guessed, so that they cannot fill
 * the log. What was sent is not in it.
 */
export const signInAdmission = (
  admitAdmin: Admission,
  audit: AuditService,
  { clock, database }: Pick<Runtime, 'clock' | 'database'>,
): Admission => {
  const recorded = new Guesses(clock)
  const recordRefused = async (context: RequestContext, { code }: GatewayError): Promise<void> => {
    const { client } = context
    const isRefusal = code === 'UNAUTHENTICATED' || code === 'FORBIDDEN'
    if (!isRefusal || client.apiKey === undefined) return
    if (recorded.isFull || recorded.waitMs(client.address) > 0) return
    recorded.wrong(client.address)
    const origin = requestedBy({ ...context, caller: identifiedCaller(context) })
    const entry = {
      ...origin,
      action: 'session.sign-in-refused',
      object: 'session',
      detail: { code },
    } as const
    await audit.append(entry).catch(database.reportError)
  }
  return context =>
    admitAdmin(context).catch(async error => {
      await recordRefused(context, toGatewayError(error))
      throw error
    })
}

/** Records that the configuration file has changed: the file itself was the action, so nothing can be refused. */
export const recordReload = (
  audit: AuditService,
  before: ConfigFile,
  after: ConfigFile,
  onError: (error: unknown) => void,
): void => {
  const entry = { actor: { kind: 'system' }, action: 'config.reload', object: 'GATEWAY_CONFIG' } as const
  void audit.append({ ...entry, before, after }).catch(onError)
}
