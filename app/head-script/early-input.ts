import { MAX_CHARACTERS } from '../(console)/chat/conversation/history.ts'
import { UNSAVED_DRAFT_KEY } from '../(console)/chat/storage/unsaved-draft.ts'

/** Sent on `window` when the page handles its own events from now on. */
export const HYDRATED = 'parley-hydrated'

/**
 * What a user does before the page's scripts are there is done as soon as they are: a question that was sent, which
 * `data-asked` on its form marks and Escape takes back, is sent; choices in lists are made again, and buttons pressed
 * again, each once. Examples fill the composer at once. No form is sent by the browser, which would load the page anew.
 * What was written on a page that is left before is in the composer of the next.
 *
 * The listeners hear an event after React's do, and so none that React has handled. While React hydrates, its own
 * listeners stop the events that it cannot handle yet: they are heard all the same.
 */
export const EARLY_INPUT = `
{
  const listening = new AbortController()
  const on = (type, listener) => addEventListener(type, listener, listening)
  const goesOn = event => {
    event.stopPropagation = () => listening.signal.aborted && Event.prototype.stopPropagation.call(event)
  }
  for (const type of ['input', 'change', 'click', 'keydown', 'submit'])
    addEventListener(type, goesOn, { capture: true, signal: listening.signal })
  const pressed = new Set()
  const chosen = new Map()
  const composer = () => document.querySelector('form.composer')
  const canBeSent = ({ question }) => {
    const { length } = question.value.trim()
    return length > 0 && length <= ${MAX_CHARACTERS}
  }
  const mark = asked => {
    const form = composer()
    if (asked && !canBeSent(form)) return
    form.toggleAttribute('data-asked', asked)
    form.question.readOnly = asked
  }
  const offer = () => {
    const form = composer()
    form.querySelector('[type=submit]').disabled = !canBeSent(form)
  }
  const fill = example => {
    const { question } = composer()
    const text = question.value.trim()
    const unchanged = [...document.querySelectorAll('[data-example]')].some(one => one.textContent === text)
    question.value = text && !unchanged ? text + '\\n\\n' + example.textContent : example.textContent
    question.focus()
    offer()
  }
  on('input', ({ target }) => target.name === 'question' && offer())
  on('change', ({ target }) => target instanceof HTMLSelectElement && chosen.set(target, target.value))
  on('click', ({ target }) => {
    const button = target instanceof Element && target.closest('button[type=button]')
    if (!button) return
    if (!('example' in button.dataset)) pressed.add(button)
    else if (!composer().question.readOnly) fill(button)
  })
  on('keydown', event => {
    if (event.target.name !== 'question') return
    if (event.key === 'Escape') mark(false)
    if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return
    event.preventDefault()
    mark(true)
  })
  on('submit', event => {
    event.preventDefault()
    if (event.target === composer()) mark(true)
  })
  on('pagehide', () => {
    const text = composer()?.question.value
    try {
      if (text) sessionStorage.setItem('${UNSAVED_DRAFT_KEY}', text)
    } catch {}
  })
  const replay = () => {
    for (const [select, value] of chosen) {
      select.value = value
      select.dispatchEvent(new Event('change', { bubbles: true }))
    }
    const form = composer()
    if (form?.hasAttribute('data-asked')) {
      mark(false)
      form.requestSubmit()
    }
    for (const button of pressed) if (button.isConnected) button.click()
  }
  on('${HYDRATED}', () => {
    listening.abort()
    // After the page has drawn what its first effects have put into its state.
    setTimeout(replay)
  })
}
`
