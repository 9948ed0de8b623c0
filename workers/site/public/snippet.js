import { nightjar } from '/nightjar.js'

const nj = nightjar({ writeKey: 'pk_demo', consent: 'unknown' })
const slate = await nj.recommend({ scenario: 'home', limit: 5 })
document.querySelector('#recommended').replaceChildren(
  ...slate.items.map(({ id, position, values }) => {
    const link = document.createElement('a')
    link.href = values.url ?? `/#item=${encodeURIComponent(id)}`
    link.textContent = values.title ?? id
    link.onclick = () => nj.send({ type: 'click', item: id, position, recommId: slate.recommId })
    return link
  }),
)
nj.shown(slate)
