import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { systemCode } from '../system-error.ts'
import type { AuditAnchor } from './types.ts'

const FILE = 'audit-anchor'
const LINE = /^(\d{1,15}):([\da-f]{64})\n?$/

/** An anchor as text: `SEQUENCE:HASH`. */
export const anchorText = ({ sequence, hash }: AuditAnchor): string => `${sequence}:${hash}`

/** Reads an anchor's text; undefined where it is none. */
export const parseAnchor = (text: string): AuditAnchor | undefined => {
  const [, sequence, hash] = LINE.exec(text) ?? []
  return sequence === undefined || hash === undefined ? undefined : { sequence: Number(sequence), hash }
}

/** Where the latest anchor is kept. */
export const anchorPath = (dataDir: string): string => join(dataDir, FILE)

/** Replaces the anchor beside the database as a whole. @throws the system's error */
export const writeAnchor = (dataDir: string, anchor: AuditAnchor): void => {
  const path = anchorPath(dataDir)
  writeFileSync(`${path}.new`, `${anchorText(anchor)}\n`, { mode: 0o600 })
  renameSync(`${path}.new`, path)
}

/** The anchor beside the database; undefined where there is none. @throws Error where it cannot be read as one */
export const readAnchor = (dataDir: string): AuditAnchor | undefined => {
  const path = anchorPath(dataDir)
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
  const anchor = parseAnchor(text)
  if (!anchor) throw new Error(`${path} is damaged: it must be one line of SEQUENCE:HASH`)
  return anchor
}
