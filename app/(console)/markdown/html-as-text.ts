import type { Handlers } from 'mdast-util-to-hast'

/** Raw HTML in markdown becomes the text it is written as, so that an answer about `<div>` still shows `<div>`. */
export const htmlAsText: Handlers = {
  html(_state, node: { value: string }, parent?: { type: string }) {
    const text = { type: 'text' as const, value: node.value }
    const standsAlone =
      parent?.type === 'root' || parent?.type === 'blockquote' || parent?.type === 'listItem'
    return standsAlone ? { type: 'element', tagName: 'p', properties: {}, children: [text] } : text
  },
}
