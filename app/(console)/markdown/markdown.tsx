import { memo, type ReactNode } from 'react'
import ReactMarkdown, { type Components } from 'react-markdown'
import rehypeSanitize, { defaultSchema } from 'rehype-sanitize'
import remarkGfm from 'remark-gfm'
import { CodeBlock } from './code-block.tsx'
import { htmlAsText } from './html-as-text.ts'

type Props = { text: string; idPrefix: string }

/**
 * A model's markdown as safe React elements: raw HTML stays text, nothing is loaded from other sites, links open in a
 * new tab. Headings start at level 3, below the page's own.
 */
export default memo(function Markdown({ text, idPrefix }: Props) {
  return (
    <ReactMarkdown
      remarkPlugins={[remarkGfm]}
      remarkRehypeOptions={{ clobberPrefix: idPrefix, handlers: htmlAsText }}
      rehypePlugins={[[rehypeSanitize, schema]]}
      components={components}
    >
      {text}
    </ReactMarkdown>
  )
})

/** Ids come from footnotes alone and carry `idPrefix` already, as do the links to them. */
const schema = { ...defaultSchema, clobberPrefix: '' }

const components: Components = {
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
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls sideways must be reachable by keyboard
    <section aria-label={label} tabIndex={0} className="scroll-x">
      <table>{children}</table>
    </section>
  )
}
