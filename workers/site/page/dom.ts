type Child = Node | string | null | undefined | false
type Properties = { class?: string; on?: Record<string, (event: Event) => void>; [attribute: string]: unknown }

/** An element with attributes, listeners and children; `false` and `undefined` leave an attribute or a child out. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(properties)) {
    if (name === 'on') for (const [type, listener] of Object.entries(value as object)) element.addEventListener(type, listener)
    else if (value !== false && value !== undefined) element.setAttribute(name, value === true ? '' : String(value))
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== false))
  return element
}

export const button = (label: string, className: string, onClick: () => void): HTMLButtonElement =>
  h('button', { type: 'button', class: className, on: { click: onClick } }, label)

/** The element that index.html promises to have. */
export function place(id: string): HTMLElement {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`index.html has no #${id}`)
  return element
}

/** A modal that closes on Escape, on its close button and on a click beside it. */
export function modal(className: string, label: string): { dialog: HTMLDialogElement; body: HTMLElement } {
  const body = h('div', { class: 'modal-body' })
  const dialog: HTMLDialogElement = h(
    'dialog',
    { class: `modal ${className}`, 'aria-label': label, on: { click: (event) => event.target === dialog && dialog.close() } },
    h('button', { type: 'button', class: 'close', 'aria-label': 'Close', on: { click: () => dialog.close() } }),
    body,
  )
  document.body.append(dialog)
  return { dialog, body }
}

/** Session storage where the browser allows it. */
export const remembered = {
  read(key: string): string | null {
    try {
      return sessionStorage.getItem(`shop.${key}`)
    } catch {
      return null
    }
  },
  write(key: string, value: string): void {
    try {
      sessionStorage.setItem(`shop.${key}`, value)
    } catch {}
  },
}
