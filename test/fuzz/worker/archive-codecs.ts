import { erasuresIn, mergesIn, purge } from '../../../shared/archive-lines.ts'
import { recordOf, type Seen } from '../../../shared/event-record.ts'
import { emptyOverlay, type Overlay, parseOverlay } from '../../../shared/overlay.ts'
import { faultOfLine, rejectedLine, replayed } from '../../../shared/quarantine.ts'
import { readEvent } from '../../../shared/read-event.ts'
import { canonicalJson } from '../../../shared/release/hash.ts'
import { parseRetention } from '../../../shared/retention.ts'
import type { Event, RejectedRecord } from '../../../shared/schemas/events.ts'
import { utf8 } from '../../../shared/utf8.ts'
import { type Codec, textOf } from './codec.ts'

const NOW = 1_790_000_000_000
const RETENTION = parseRetention('other=400')
const SEEN: Seen = { received: NOW, visitor: 'aabbccdd00112233', country: 'GB', device: null, referrer: null }

const EVENTS: Event[] = [
  { id: 'event-0001', type: 'click', item: 'item-1', position: 3 },
  { id: 'event-0002', type: 'impression', items: ['item-1', 'item-2'], positions: [1, 2] },
  { id: 'event-0003', type: 'purchase', items: [{ item: 'item-1', quantity: 2, price: 9.5 }], order: 'A-1' },
]
const LINES = EVENTS.map((event) => JSON.stringify(recordOf(event, SEEN)))
const ERASURE = JSON.stringify({ v: 1, id: 'erasure-1', type: 'erasure', received: NOW, visitor: '0011223344556677', until: NOW })
const MERGE = JSON.stringify({ v: 1, id: 'merge-1', type: 'merge', received: NOW, visitor: '00aa', into: '00bb' })

/** Texts that nothing vouches for: what is read of them is what they say, and what they do not touch stays as it is. */
export const archiveCodecs = (): Codec[] => [
  overlayCodec(),
  ...LINES.map((line, i) => lineCodec(`archive line: ${EVENTS[i]?.type}`, line)),
  lineCodec('archive line: erasure', ERASURE),
  lineCodec('archive line: merge', MERGE),
  eventCodec('event: native', EVENTS[2]),
  eventCodec('event: GA4', {
    name: 'purchase',
    params: { transaction_id: 'A-1', items: [{ item_id: 'item-1', quantity: 1, price: 2 }] },
    timestamp_micros: NOW * 1000,
  }),
  eventCodec('event: Segment', {
    type: 'track',
    event: 'Order Completed',
    messageId: 'message-0001',
    properties: { order_id: 'A-1', products: [{ product_id: 'item-1', price: 2 }] },
  }),
  quarantineCodec(),
]

function overlayCodec(): Codec {
  const overlay: Overlay = {
    ...emptyOverlay,
    at: NOW,
    trending: { GB: [{ item: 'item-1', score: 2 }] },
    unavailable: ['item-2'],
    hidden: ['item-3'],
    items: [
      { item: 'item-4', at: NOW, first: NOW, removed: false, fields: { title: 'A', price: 2 }, like: [{ item: 'item-1', weight: 0.5 }] },
    ],
  }
  const text = JSON.stringify(overlay)
  return {
    name: 'overlay',
    original: utf8(text),
    read(bytes) {
      const said = textOf(bytes)
      const read = parseOverlay(said)
      if (read === null) return 'refused'
      if (said === text) return canonicalJson(read) === canonicalJson(overlay) ? 'equal' : 'wrong'
      // What it does not say of itself counts as not said.
      const value: Overlay = { items: [], ...JSON.parse(said) }
      return read.at === value.at &&
        canonicalJson(read.unavailable) === canonicalJson(value.unavailable) &&
        canonicalJson(read.hidden) === canonicalJson(value.hidden)
        ? 'read'
        : 'wrong'
    },
  }
}

/** A line among others: whatever became of it, the others are kept, and nobody is erased whom no line names. */
function lineCodec(name: string, line: string): Codec {
  return {
    name,
    original: utf8(line),
    read(bytes) {
      const said = textOf(bytes)
      const file = `${LINES[0]}\n${said}\n${LINES[1]}\n`
      const erased = erasuresIn(file)
      const merged = mergesIn(file)
      const fault = faultOfLine(said)
      const { text } = purge(file, new Map(erased), RETENTION, NOW)
      const isTold = ([visitor]: [string, unknown]): boolean => said.includes(JSON.stringify(visitor)) || said.includes('\\')
      if (![...erased, ...merged].every(isTold)) return 'wrong'
      const spared = !erased.some(([visitor]) => visitor === SEEN.visitor)
      if (spared && !(text.startsWith(`${LINES[0]}\n`) && text.endsWith(`${LINES[1]}\n`))) return 'wrong'
      if (said === line) return fault === null ? 'equal' : 'wrong'
      return fault === null ? 'read' : 'refused'
    },
  }
}

function eventCodec(name: string, event: unknown): Codec {
  const text = JSON.stringify(event)
  const expected = canonicalJson(readEvent(event, 'salt'))
  return {
    name,
    original: utf8(text),
    read(bytes) {
      const said = textOf(bytes)
      let value: unknown
      try {
        value = JSON.parse(said)
      } catch {
        return 'refused'
      }
      const read = readEvent(value, 'salt')
      if (said === text) return canonicalJson(read) === expected ? 'equal' : 'wrong'
      if (!read.ok) return 'refused'
      // What was taken in is a line of the archive that the night takes in as well.
      return read.events.every((taken) => faultOfLine(JSON.stringify(recordOf(taken, SEEN))) === null) ? 'read' : 'wrong'
    },
  }
}

/** What waits in quarantine is read again by each night. */
function quarantineCodec(): Codec {
  const line = rejectedLine({ id: 'event-0009', type: 'click', item: 'item-1' }, SEEN, {
    offset: 'events[0]',
    field: 'events[0].x',
    detail: 'was not known',
  })
  const expected = canonicalJson(replayed(JSON.parse(line) as RejectedRecord))
  return {
    name: 'quarantine line',
    original: utf8((JSON.parse(line) as RejectedRecord).event ?? ''),
    read(bytes) {
      const rejected = { ...(JSON.parse(line) as RejectedRecord), event: textOf(bytes) }
      const read = replayed(rejected)
      if (read === null) return 'refused'
      if (canonicalJson(read) === expected) return 'equal'
      // Who sent it may not change the catalogue, whatever it has become.
      return read.changes.length === 0 && read.events.every((event) => faultOfLine(JSON.stringify(event)) === null) ? 'read' : 'wrong'
    },
  }
}
