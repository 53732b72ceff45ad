import type { ComponentProps } from 'react'

/** Makes what scrolls by itself reachable by keyboard: not every browser does that on its own. */
export const keyboardScroll = { tabIndex: 0 } as const

/** Preformatted text that scrolls by itself. */
export function ScrollingText(props: ComponentProps<'pre'>) {
  return <pre {...keyboardScroll} {...props} />
}
