import { parentPort } from 'node:worker_threads'
import { checkText } from './check.ts'
import type { CheckRequest, FromThread } from './messages.ts'

const send = (message: FromThread): void => parentPort?.postMessage(message)

parentPort?.on('message', ({ id, schema, text }: CheckRequest) =>
  send({ id, result: checkText(schema, text) }),
)
send({ ready: true })
