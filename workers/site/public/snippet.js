import { nightjar } from './nightjar.js'

const nj = nightjar({ writeKey: 'pk_demo', consent: 'granted' })
const slate = await nj.recommend({ scenario: 'home', limit: 5 })
const { items, recommId } = slate
const list = document.querySelector('#recommended')
for (const { id, position, values } of items) {
  const link = document.createElement('a')
  link.href = values.url ?? '#'
  link.textContent = values.title ?? id
  link.onclick = () => nj.send({ type: 'click', item: id, recommId, position })
  list.append(Object.assign(document.createElement('li'), { className: 'pick' }))
  list.lastChild.append(link)
}
nj.shown(slate)

document.querySelector('#code').textContent = await (await fetch('snippet.js')).text()
