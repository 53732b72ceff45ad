import pino from 'pino'
import { ConfigurationError, readEnvironment, secretsOf } from '../config/env.ts'
import { createLogger } from '../observability/logger.ts'
import { type Redactor, redactor } from '../observability/redact.ts'

type SystemError = Readonly<{
  code?: string
  address?: string
  hostname?: string
  port?: number
  syscall?: string
}>

/** Why a server cannot listen and what to do, as one line; undefined for another kind of failure. */
export const listenFault = (error: SystemError): string | undefined => {
  const { code, address, hostname, port, syscall } = error
  const host = `HOST = “${hostname ?? address}”`
  if (syscall === 'getaddrinfo') return `${host}: no such host (${code}); set an address of this machine`
  if (syscall !== 'listen') return undefined
  if (code === 'EADDRINUSE')
    return `PORT = ${port}: in use (${code}); stop what listens there, or set another PORT`
  if (code === 'EACCES')
    return `PORT = ${port}: not allowed for this user (${code}); set a PORT from 1024 on, or grant the permission`
  if (code === 'EADDRNOTAVAIL' || code === 'EAFNOSUPPORT')
    return `${host}: not an address of this machine (${code}); set one that is, or leave HOST unset`
  return `HOST = “${address}”, PORT = ${port}: cannot be listened on (${code})`
}

const knownSecrets = (): readonly string[] => {
  try {
    return secretsOf(readEnvironment())
  } catch {
    return []
  }
}

/** One line for the log, the stack inside it; a stack of several lines would break log parsers. */
const logFailure = (err: unknown, redact: Redactor): void =>
  createLogger({
    level: 'fatal',
    pretty: false,
    redact,
    destination: pino.destination({ dest: 1, sync: true }),
  }).fatal({ err }, 'the start failed')

/** Prints to standard error why the process could not start, as readable text, and exits with 1. */
export const failToStart = (error: unknown): never => {
  const redact = redactor(knownSecrets())
  const known = error instanceof ConfigurationError ? error.message : listenFault(error as SystemError)
  if (known === undefined) logFailure(error, redact)
  const [reason] = String(error instanceof Error ? error.message : error).split('\n')
  process.stderr.write(`${redact(known ?? `Parley could not start: ${reason}`)}\n`)
  process.exit(1)
}
