import type { Element, ElementContent, RootContent } from 'hast'
import { parse, toSafeHtml } from './parse.ts'
import type { ListPiece } from './pieces.ts'

/** Without a bracket a text refers to nothing. */
const withDefinitions = (source: string, definitions: string): string =>
  definitions && source.includes('[') ? `${definitions}\n\n${source}` : source

/** A block's HTML. */
export function blockHtml(source: string, definitions: string, idPrefix: string): RootContent[] {
  return toSafeHtml(parse(withDefinitions(source, definitions)), idPrefix).children
}

/** The HTML of a list item, which is written as in a list of its own. */
export function itemHtml(source: string, loose: boolean, definitions: string): ElementContent {
  const tree = parse(withDefinitions(source, definitions))
  const list = tree.children.at(-1)
  if (list?.type === 'list') list.spread = loose
  const html = toSafeHtml(tree, '').children.find(child => child.type === 'element') as Element
  return html.children.find(child => child.type === 'element') as Element
}

/** The attributes of a list around its items. */
export function listAttributes({ ordered, start, tasks }: ListPiece) {
  return {
    ...(tasks && { className: 'contains-task-list' }),
    ...(ordered && start !== undefined && start !== 1 && { start }),
  }
}
