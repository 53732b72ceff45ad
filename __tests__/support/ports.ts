import { createServer } from 'node:net'

/** Below the ports that a machine gives to outgoing connections, one of which would take it before its process does. */
const FIRST = 12_000
/**
 * Test files that run at once have ports of their own: between the look at one and the process that listens there,
 * another's process could take it, and be taken for that one.
 */
const SHARES = 16
const SHARE = 1_250

const { VITEST_POOL_ID, TEST_PARALLEL_INDEX } = process.env
const begin = FIRST + SHARE * (Number(VITEST_POOL_ID ?? TEST_PARALLEL_INDEX ?? 0) % SHARES)
let tried = Math.floor(Math.random() * SHARE)

export const isFree = async (port: number): Promise<boolean> => {
  const server = createServer()
  const listens = await new Promise<boolean>(resolve => {
    server.once('error', () => resolve(false)).listen(port, () => resolve(true))
  })
  if (listens) await new Promise(resolve => server.close(resolve))
  return listens
}

/** A port that nothing listens on, and that no other test is given at the same time. */
export const freePort = async (): Promise<number> => {
  for (;;) {
    tried += 1
    const port = begin + (tried % SHARE)
    if (await isFree(port)) return port
  }
}
