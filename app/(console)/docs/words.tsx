import type { ReactNode } from 'react'

/** A sentence, with what stands between backticks as code. */
export function Words({ children }: { children: string }) {
  const parts: ReactNode[] = []
  let at = 0
  for (const part of children.split('`')) {
    parts.push(parts.length % 2 === 1 ? <code key={at}>{part}</code> : part)
    at += part.length + 1
  }
  return parts
}
