import type { ComponentProps } from 'react'

/** Preformatted text that scrolls by itself, so that the keyboard must reach it. */
export function ScrollingText(props: ComponentProps<'pre'>) {
  // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
  return <pre tabIndex={0} {...props} />
}
