import { button, h } from './dom.ts'
import { currentConsent, decideConsent, signalsOptOut } from './session.ts'

/** The switch in the header and the question on the page; both are drawn anew when the answer changes. */
export function consentControls(onChange: () => void): { toggle: HTMLElement; question: HTMLElement } {
  const toggle = h(
    'button',
    { type: 'button', class: 'switch', role: 'switch', 'aria-label': 'Remember what I look at' },
    h('span', {}, 'Remember me'),
    h('i', {}),
  )
  const question = h('section', { class: 'question', 'aria-labelledby': 'question' })
  const decide = (wanted: 'granted' | 'denied'): void => {
    decideConsent(wanted)
    draw()
    onChange()
  }
  const draw = (): void => {
    const granted = currentConsent() === 'granted'
    toggle.setAttribute('aria-checked', String(granted))
    toggle.toggleAttribute('disabled', signalsOptOut)
    toggle.title = signalsOptOut ? 'Your browser asks sites not to follow you, and this one does not.' : ''
    question.hidden = currentConsent() !== 'unknown'
  }
  toggle.addEventListener('click', () => decide(currentConsent() === 'granted' ? 'denied' : 'granted'))
  question.append(
    h(
      'div',
      {},
      h('h2', { id: 'question' }, 'May we remember what you look at?'),
      h(
        'p',
        {},
        'Then this page turns to your taste as you browse. Without it nothing about you is kept, and you see what your region likes.',
      ),
    ),
    h(
      'div',
      { class: 'answers' },
      button('Yes, remember', 'solid', () => decide('granted')),
      button('No, thank you', 'plain', () => decide('denied')),
    ),
  )
  draw()
  return { toggle, question }
}
