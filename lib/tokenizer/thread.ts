import { parentPort } from 'node:worker_threads'
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base'
import type { ThreadCount, ThreadTexts } from './messages.ts'

/** Byte pairs are merged in time that grows with the square of a run without a break: longer ones are cut. */
const LONGEST_RUN = 256
const HAS_LONG_RUN = new RegExp(`\\S{${LONGEST_RUN}}|\\s{${LONGEST_RUN}}`)
/** What looks like a special token is text like any other. */
const AS_TEXT = { disallowedSpecial: new Set<string>() }

const tokensIn = (text: string): number => {
  if (!HAS_LONG_RUN.test(text)) return countTokens(text, AS_TEXT)
  let tokens = 0
  for (let at = 0; at < text.length; at += LONGEST_RUN)
    tokens += countTokens(text.slice(at, at + LONGEST_RUN), AS_TEXT)
  return tokens
}

parentPort?.on('message', ({ id, texts }: ThreadTexts) => {
  const tokens = texts.reduce((sum, text) => sum + tokensIn(text), 0)
  const reply: ThreadCount = { id, tokens }
  parentPort?.postMessage(reply)
})
