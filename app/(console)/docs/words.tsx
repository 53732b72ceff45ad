/** A sentence, with what stands between backticks as code. */
export function Words({ children }: { children: string }) {
  return children.split('`').map((part, index) =>
    // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one constant sentence keep their places
    index % 2 === 1 ? <code key={index}>{part}</code> : part,
  )
}
