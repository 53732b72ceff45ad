import type { Nodes } from 'hast'
import { type Components, toJsxRuntime } from 'hast-util-to-jsx-runtime'
import { Fragment, memo, type ReactNode, useMemo, useState } from 'react'
import { jsx, jsxs } from 'react/jsx-runtime'
import { keyboardScroll } from '../scrolling-text.tsx'
import { CodeBlock } from './code-block.tsx'
import { blockHtml, itemHtml, listAttributes } from './draw.ts'
import { GrowingMarkdown } from './growing-markdown.ts'
import type { ListPiece } from './pieces.ts'
import { useInPortions } from './use-in-portions.ts'

type Props = {
  text: string
  idPrefix: string
  /** Whether more text may follow. */
  open: boolean
}

/**
 * A model's markdown as safe React elements: raw HTML stays text, nothing is loaded from other sites, links open in a
 * new tab. Headings start at level 3, below the page's own. Only the end of a growing text is parsed again.
 */
export default memo(function Markdown({ text, idPrefix, open }: Props) {
  const [growing] = useState(() => new GrowingMarkdown())
  const shown = useInPortions(text)
  const isWhole = !open && shown.length === text.length
  const { pieces, definitions } = useMemo(
    () => (isWhole ? growing.finished(shown) : growing.update(shown)),
    [growing, shown, isWhole],
  )
  return pieces.map((piece, index) => {
    const key = `${index}`
    return piece.type === 'list' ? (
      <List key={key} list={piece} definitions={definitions} />
    ) : (
      <Block key={key} source={piece.source} definitions={definitions} idPrefix={idPrefix} />
    )
  })
})

type BlockProps = { source: string; definitions: string; idPrefix: string }

const Block = memo(function Block({ source, definitions, idPrefix }: BlockProps) {
  return elements({ type: 'root', children: blockHtml(source, definitions, idPrefix) })
})

function List({ list, definitions }: { list: ListPiece; definitions: string }) {
  const Tag = list.ordered ? 'ol' : 'ul'
  return (
    <Tag {...listAttributes(list)}>
      {list.items.map((source, index) => {
        const key = `${index}`
        return <Item key={key} source={source} loose={list.loose} definitions={definitions} />
      })}
    </Tag>
  )
}

type ItemProps = { source: string; loose: boolean; definitions: string }

const Item = memo(function Item({ source, loose, definitions }: ItemProps) {
  return elements(itemHtml(source, loose, definitions))
})

const elements = (tree: Nodes): ReactNode =>
  toJsxRuntime(tree, { Fragment, jsx, jsxs, components, ignoreInvalidStyle: true })

const components: Partial<Components> = {
  h1: ({ children }) => <h3>{children}</h3>,
  h2: ({ children, className }) => <h4 className={className}>{children}</h4>,
  h3: ({ children }) => <h5>{children}</h5>,
  h4: ({ children }) => <h6>{children}</h6>,
  h5: ({ children }) => <h6>{children}</h6>,
  pre: ({ children }) => <CodeBlock>{children}</CodeBlock>,
  table: ({ children }) => <Scrollable label="Table">{children}</Scrollable>,
  img: ({ src, alt }) => <ImageLink src={src} alt={alt} />,
  input: ({ checked }) => <TaskMark done={checked === true} />,
  a: ({ href, id, children, 'aria-label': label }) =>
    href?.startsWith('#') ? (
      <a href={href} id={id} aria-label={label}>
        {children}
      </a>
    ) : (
      <OutsideLink href={href}>{children}</OutsideLink>
    ),
}

function OutsideLink({ href, children }: { href: string | undefined; children: ReactNode }) {
  return (
    <a href={href} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  )
}

/**
 * Loading an image would reveal to its host that this answer was read, and any data that a prompt injection put in the
 * URL.
 */
function ImageLink({ src, alt }: { src: unknown; alt: string | undefined }) {
  const name = `Image: ${alt || 'untitled'}`
  return typeof src === 'string' ? <OutsideLink href={src}>{name}</OutsideLink> : name
}

function TaskMark({ done }: { done: boolean }) {
  return (
    <span role="img" aria-label={done ? 'done' : 'to do'}>
      {done ? '☑ ' : '☐ '}
    </span>
  )
}

function Scrollable({ label, children }: { label: string; children: ReactNode }) {
  return (
    <section aria-label={label} {...keyboardScroll} className="scroll-x">
      <table>{children}</table>
    </section>
  )
}
