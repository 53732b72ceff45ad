import { useState } from 'react'

/** The page's one `role=status`: of several messages, the one that changed last; the first of those that changed together. */
export function Status({ words }: { words: readonly string[] }) {
  const [said, setSaid] = useState({ words: words.map(() => ''), text: '' })
  const changed = words.filter((text, index) => text !== said.words[index])
  if (changed.length > 0) setSaid({ words: [...words], text: changed.find(text => text !== '') ?? '' })
  return (
    <p role="status" className="sr-only">
      {said.text}
    </p>
  )
}
