import { useState } from 'react'

/** The page's one `role=status`: of several messages, the one that changed last. */
export function Status({ words }: { words: readonly string[] }) {
  const [said, setSaid] = useState({ words: words.map(() => ''), text: '' })
  const changed = words.findIndex((text, index) => text !== said.words[index])
  if (changed !== -1) setSaid({ words: [...words], text: words[changed] ?? '' })
  return (
    <p role="status" className="sr-only">
      {said.text}
    </p>
  )
}
