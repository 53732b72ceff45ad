import type { Root as HastRoot } from 'hast'
import { defaultSchema, sanitize } from 'hast-util-sanitize'
import type { Root } from 'mdast'
import { fromMarkdown } from 'mdast-util-from-markdown'
import { gfmFromMarkdown } from 'mdast-util-gfm'
import { toHast } from 'mdast-util-to-hast'
import { gfm } from 'micromark-extension-gfm'
import { htmlAsText } from './html-as-text.ts'
import { texFromMarkdown, texSyntax } from './tex.ts'

const options = {
  extensions: [gfm(), texSyntax],
  mdastExtensions: [gfmFromMarkdown(), texFromMarkdown],
}

/** GitHub-flavoured Markdown as a syntax tree. */
export const parse = (markdown: string): Root => fromMarkdown(markdown, options)

/** Ids come from footnotes alone and carry the prefix already, as do the links to them. */
const schema = { ...defaultSchema, clobberPrefix: '' }

/** The tree as safe HTML: raw HTML stays text, and links have harmless protocols only. */
export function toSafeHtml(tree: Root, idPrefix: string): HastRoot {
  return sanitize(toHast(tree, { clobberPrefix: idPrefix, handlers: htmlAsText }), schema) as HastRoot
}
