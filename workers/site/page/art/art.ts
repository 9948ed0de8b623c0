import { home } from './home.ts'
import { inkFor, type Motif } from './ink.ts'
import { studio } from './studio.ts'
import { things } from './things.ts'
import { wear } from './wear.ts'

export type Drawn = { id: string; title: string; category: string; colour: string }

/** First match wins: what a thing is made to hold ("candle holder", "lunch box") stands before what it merely mentions. */
const kinds: [RegExp, Motif][] = [
  [/teapot|tea ?pot|kettle/, home.teapot],
  [/teacup|espresso|cup and saucer|\bcup\b/, home.cup],
  [/\bmug|beaker/, home.mug],
  [/cake ?stand|cake ?case|baking|bun case|cupcake|cakestand/, things.cake],
  [/lunch (bag|box)|snack box/, wear.lunchBag],
  [/butter dish|bread bin|\btins?\b|cutter/, things.tin],
  [/storage jar|\bjar|bath salts|sugar|jam/, home.jar],
  [/water bottle|hottie/, home.hotWaterBottle],
  [/\bbottle/, home.bottle],
  [/wine|goblet|tumbler|\bglass(es)?$/, home.glass],
  [/bowl/, home.bowl],
  [/plate|platter|saucer|tray|placemat|coaster/, home.plate],
  [/vase|flower/, home.vase],
  [/\bjug|pitcher/, home.jug],
  [/string light|fairy light|light set|garland of light/, home.stringLights],
  [/candle holder|candlestick|candelabra/, home.candlestick],
  [/lantern|t-?light|tea ?light/, home.lantern],
  [/floor lamp/, home.floorLamp],
  [/pendant lamp|lampshade|chandelier/, home.pendant],
  [/reading light|night ?light|torch/, home.readingLight],
  [/lamp/, home.tableLamp],
  [/candle|incense/, home.candle],
  [/clock/, home.clock],
  [/mirror/, home.mirror],
  [/chair|stool|bench/, home.chair],
  [/drawer|cabinet|cupboard|shelf/, home.drawers],
  [/cushion|pillow|doorstop/, studio.cushion],
  [/doormat|\brug|runner|\bmat\b/, studio.rug],
  [/tea towel|bath towel|flannel|oven glove/, studio.towel],
  [/throw|blanket|quilt|towel|warmer/, studio.folded],
  [/apron/, studio.apron],
  [/bookmark/, studio.bookmark],
  [/notebook|planner|sketchbook|journal|passport|address book/, studio.notebook],
  [/calendar/, studio.calendar],
  [/\bcards?\b|\bletter\b|envelope|invite|sticker|magnet/, studio.envelope],
  [/wrap|ribbon|tissue|paper chain|napkin/, studio.wrap],
  [/scissor/, studio.scissors],
  [/\bpen|pencil|chalk|crayon/, studio.pen],
  [/cookbook|novel|atlas|guide/, studio.book],
  [/picture book|pattern book/, studio.bookStack],
  [/bunting|garland|paper lantern/, studio.bunting],
  [/wall hanging|tapestry|dreamcatcher/, studio.hanging],
  [/\bmap\b|globe/, studio.map],
  [/\bsigns?\b|plaque|hook|hanger|\bboard\b.*(chalk|memo)|blackboard/, studio.sign],
  [/\bframe|\bprints?\b|poster|wall art/, studio.picture],
  [/watering can/, things.wateringCan],
  [/trowel|spade|garden fork|gardeners/, things.trowel],
  [/bird ?(feeder|house|bath|cage)|birdhouse/, things.birdhouse],
  [/seed/, things.seedBox],
  [/chime|mobile/, things.windChime],
  [/planter|trough|window box/, things.planter],
  [/plant|\bpots?\b|herb|marker/, things.pot],
  [/chopping|cutting board|bread board/, things.board],
  [/mill\b|grinder|shaker/, things.mill],
  [/whisk|spatula|utensil/, things.whisk],
  [/colander|sieve|strainer/, things.colander],
  [/casserole|saucepan|\bpan\b|cocotte/, things.casserole],
  [/measuring|spoon|cutlery|fork/, things.spoons],
  [/train|car\b|truck|tractor|bus\b/, things.train],
  [/\bbears?\b|\bdolls?\b|soft toy/, things.bear],
  [/puzzle|jigsaw|game|dominoes|ludo|snakes/, things.puzzle],
  [/stacking|tower|skittle/, things.tower],
  [/kite|windmill/, things.kite],
  [/rattle|maraca|drum/, things.rattle],
  [/puppet|soldier|robot/, things.puppet],
  [/block|brick|letters|alphabet|toy/, things.blocks],
  [/umbrella|parasol/, wear.umbrella],
  [/backpack|rucksack/, wear.backpack],
  [/weekender|holdall|suitcase/, wear.weekender],
  [/wash ?bag|pouch|pencil case|case\b/, wear.pouch],
  [/purse|wallet/, wear.purse],
  [/sleeve|folder/, wear.sleeve],
  [/tote|jumbo bag|shopper|charlotte|\bbags?\b/, wear.tote],
  [/shirt|sock|scarf|glove|hat\b|slipper/, wear.shirt],
  [/necklace|pendant|chain/, wear.necklace],
  [/earring/, wear.earrings],
  [/bracelet|anklet|bangle/, wear.bracelet],
  [/\bring\b/, wear.ring],
  [/brooch|pin\b/, wear.brooch],
  [/hair ?(clip|band|slide)|clip/, wear.hairClip],
  [/soap dish|dish/, wear.dish],
  [/soap|sponge/, wear.soap],
  [/brush|comb/, wear.brush],
  [/cream|balm|lotion/, wear.tube],
]

/** What a title says beside the thing itself; looked at when no thing is named. */
const moods: [RegExp, Motif][] = [
  [/christmas|bauble|decoration|\bstars?\b|\btree/, things.ornament],
  [/\bheart|\blove/, studio.heart],
  [/\bbird|\bdove|\brobin/, things.birdhouse],
  [/rabbit|bunny|animal|\bdog|\bcat\b|\bowl/, things.bear],
  [/gift|present|party|\bbirthday/, studio.gift],
]

const byCategory: [RegExp, Motif][] = [
  [/ceramic/, home.vase],
  [/light/, home.tableLamp],
  [/textile/, studio.folded],
  [/station/, studio.notebook],
  [/garden/, things.pot],
  [/kitchen/, things.casserole],
  [/toy/, things.blocks],
  [/bath/, wear.soap],
  [/art/, studio.picture],
  [/bag/, wear.tote],
  [/jewel/, wear.necklace],
  [/book/, studio.book],
]
const others: Motif[] = [wear.crate, studio.gift, things.tin]

/** A picture of the item as SVG text; the same item always looks the same. */
export function drawItem(item: Drawn): string {
  const title = item.title.toLowerCase()
  const random = draws(item.id + title)
  const [first, second, third, vary, place] = random
  const colour = item.colour.toLowerCase()
  const { ink, ground } = inkFor(colour === '' ? title : colour, [first, second, third])
  const motif = motifOf(title, item.category.toLowerCase(), first)
  const glow =
    place < 0.34
      ? '<circle cx="100" cy="98" r="78"'
      : place < 0.67
        ? '<path d="M36 200V92a64 64 0 0 1 128 0v108z"'
        : '<path d="M0 128h200v72H0z"'
  return (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 200 200"><defs><linearGradient id="s"><stop offset=".45" stop-opacity="0"/>' +
    '<stop offset="1" stop-opacity=".2"/></linearGradient><mask id="k" mask-type="alpha"><use href="#m"/></mask></defs>' +
    `<path d="M0 0h200v200H0z" fill="${ground}"/>${glow} fill="#fff" opacity=".28"/><ellipse cx="104" cy="160" rx="66" ry="7" opacity=".13"/>` +
    `<g id="m">${motif(ink, Math.floor(vary * 3))}</g><path d="M0 0h200v200H0z" fill="url(#s)" mask="url(#k)"/></svg>`
  )
}

export const pictureOf = (item: Drawn): string => `data:image/svg+xml,${encodeURIComponent(drawItem(item))}`

function motifOf(title: string, category: string, random: number): Motif {
  // The noun comes last: "Sunny Oak Whisk" is a whisk whatever else it mentions.
  const tail = title.split(/\s+/).slice(-2).join(' ')
  const found =
    kinds.find(([words]) => words.test(tail)) ??
    kinds.find(([words]) => words.test(title)) ??
    byCategory.find(([words]) => words.test(category)) ??
    moods.find(([words]) => words.test(title))
  return found?.[1] ?? others[Math.floor(random * others.length)] ?? wear.crate
}

/** Five numbers in [0, 1) that depend on nothing but the text (FNV-1a, then a multiply-xor step for each). */
function draws(text: string): [number, number, number, number, number] {
  let hash = 0x811c9dc5
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193)
  const next = (): number => {
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
    hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39)
    hash ^= hash >>> 15
    return (hash >>> 0) / 2 ** 32
  }
  return [next(), next(), next(), next(), next()]
}
