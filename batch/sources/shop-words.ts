import type { DeviceClass, ReferrerClass } from '../../shared/ranking/visit-context.ts'

/** What the generated shop is made of. A category's things carry its materials; a style lends its colours and its name. */
export type Category = { name: string; things: readonly string[]; materials: readonly string[]; price: readonly [number, number] }
export type Style = { name: string; collections: readonly string[]; colours: readonly string[] }

export const categories: readonly Category[] = [
  {
    name: 'Ceramics',
    things: ['Mug', 'Bowl', 'Plate', 'Teapot', 'Vase', 'Jug', 'Butter Dish', 'Espresso Cup', 'Serving Platter'],
    materials: ['Stoneware', 'Porcelain', 'Terracotta', 'Glazed Clay'],
    price: [9, 64],
  },
  {
    name: 'Lighting',
    things: ['Table Lamp', 'Pendant Lamp', 'Lantern', 'Floor Lamp', 'Reading Light', 'Candle Holder', 'String Lights'],
    materials: ['Brass', 'Paper', 'Rattan', 'Smoked Glass'],
    price: [18, 180],
  },
  {
    name: 'Textiles',
    things: ['Throw', 'Cushion', 'Tea Towel', 'Blanket', 'Table Runner', 'Apron', 'Bath Towel', 'Rug'],
    materials: ['Linen', 'Wool', 'Cotton', 'Mohair'],
    price: [12, 140],
  },
  {
    name: 'Stationery',
    things: ['Notebook', 'Planner', 'Pen', 'Card Set', 'Sketchbook', 'Letter Set', 'Desk Calendar', 'Bookmark'],
    materials: ['Recycled Paper', 'Cork', 'Cloth-bound', 'Letterpress'],
    price: [4, 38],
  },
  {
    name: 'Garden',
    things: ['Plant Pot', 'Watering Can', 'Trowel', 'Bird Feeder', 'Seed Box', 'Planter', 'Garden Chair', 'Wind Chime'],
    materials: ['Zinc', 'Cedar', 'Terracotta', 'Steel'],
    price: [8, 120],
  },
  {
    name: 'Kitchen',
    things: ['Chopping Board', 'Pepper Mill', 'Whisk', 'Storage Jar', 'Colander', 'Casserole', 'Bread Bin', 'Measuring Set'],
    materials: ['Oak', 'Olive Wood', 'Enamel', 'Cast Iron'],
    price: [9, 130],
  },
  {
    name: 'Toys',
    things: ['Wooden Train', 'Puzzle', 'Soft Bear', 'Stacking Tower', 'Kite', 'Rattle', 'Puppet', 'Building Blocks'],
    materials: ['Beech', 'Felt', 'Organic Cotton', 'Painted Wood'],
    price: [7, 72],
  },
  {
    name: 'Bath',
    things: ['Soap Bar', 'Bath Salts', 'Brush', 'Candle', 'Soap Dish', 'Hand Cream', 'Wash Bag', 'Mirror'],
    materials: ['Olive Oil', 'Bamboo', 'Beeswax', 'Marble'],
    price: [5, 58],
  },
  {
    name: 'Wall Art',
    things: ['Print', 'Poster', 'Wall Clock', 'Picture Frame', 'Wall Hanging', 'Mirror Tile', 'Map'],
    materials: ['Giclée', 'Screen-printed', 'Woven', 'Framed'],
    price: [14, 160],
  },
  {
    name: 'Bags',
    things: ['Tote', 'Backpack', 'Pouch', 'Weekender', 'Lunch Bag', 'Purse', 'Laptop Sleeve'],
    materials: ['Canvas', 'Leather', 'Waxed Cotton', 'Felt'],
    price: [12, 190],
  },
  {
    name: 'Jewellery',
    things: ['Necklace', 'Earrings', 'Bracelet', 'Ring', 'Brooch', 'Hair Clip', 'Anklet'],
    materials: ['Silver', 'Brass', 'Enamel', 'Pearl'],
    price: [12, 150],
  },
  {
    name: 'Books',
    things: ['Cookbook', 'Field Guide', 'Atlas', 'Picture Book', 'Novel', 'Pattern Book', 'Travel Journal'],
    materials: ['Illustrated', 'Hardback', 'Pocket', 'Clothbound'],
    price: [6, 48],
  },
]

export const styles: readonly Style[] = [
  { name: 'coastal', collections: ['Harbour', 'Tideline', 'Saltmarsh', 'Lighthouse'], colours: ['sea blue', 'chalk', 'sand'] },
  { name: 'woodland', collections: ['Fernwood', 'Hedgerow', 'Mossy', 'Acorn'], colours: ['moss', 'bark', 'mushroom'] },
  { name: 'midnight', collections: ['Nightjar', 'Orion', 'Dusk', 'Moonrise'], colours: ['ink', 'indigo', 'silver'] },
  { name: 'citrus', collections: ['Amalfi', 'Lemon Grove', 'Zest', 'Sunny'], colours: ['lemon', 'coral', 'leaf'] },
  { name: 'heritage', collections: ['Ashdown', 'Pembroke', 'Albion', 'Regency'], colours: ['oxblood', 'racing green', 'cream'] },
  { name: 'studio', collections: ['Plain', 'Grid', 'Atelier', 'Raw'], colours: ['white', 'charcoal', 'clay'] },
  { name: 'festival', collections: ['Carnival', 'Marigold', 'Fiesta', 'Confetti'], colours: ['fuchsia', 'saffron', 'turquoise'] },
  { name: 'nordic', collections: ['Fjord', 'Hygge', 'Birch', 'Aurora'], colours: ['frost', 'slate', 'rose'] },
]

/** Where the shop's visitors live: share of visitors, and the styles their country likes more than others do. */
export const homes: readonly { country: string; share: number; likes: readonly string[] }[] = [
  { country: 'GB', share: 0.24, likes: ['heritage', 'woodland'] },
  { country: 'DE', share: 0.13, likes: ['woodland', 'studio'] },
  { country: 'FR', share: 0.1, likes: ['citrus', 'studio'] },
  { country: 'US', share: 0.15, likes: ['coastal', 'heritage'] },
  { country: 'JP', share: 0.07, likes: ['studio', 'midnight'] },
  { country: 'BR', share: 0.05, likes: ['festival', 'citrus'] },
  { country: 'IN', share: 0.05, likes: ['festival', 'midnight'] },
  { country: 'SE', share: 0.05, likes: ['nordic'] },
  { country: 'ES', share: 0.04, likes: ['citrus', 'festival'] },
  { country: 'NL', share: 0.03, likes: ['studio', 'nordic'] },
  { country: 'CA', share: 0.03, likes: ['woodland', 'nordic'] },
  { country: 'AU', share: 0.03, likes: ['coastal'] },
  { country: 'MX', share: 0.02, likes: ['festival'] },
  { country: 'ZA', share: 0.01, likes: ['coastal', 'festival'] },
]

/** How visitors come, whatever they like: weights. */
export const devices: Readonly<Partial<Record<DeviceClass, number>>> = { phone: 5, tablet: 1, desktop: 4 }
export const referrers: Readonly<Partial<Record<ReferrerClass, number>>> = { none: 3, search: 4, social: 2, email: 1, other: 1 }

/** And how those do who like a style best: four times as often by this device and from there. */
export const habits: Readonly<Record<string, { device: DeviceClass; referrer: ReferrerClass }>> = {
  heritage: { device: 'desktop', referrer: 'email' },
  woodland: { device: 'tablet', referrer: 'search' },
  studio: { device: 'desktop', referrer: 'search' },
  citrus: { device: 'phone', referrer: 'social' },
  coastal: { device: 'tablet', referrer: 'none' },
  festival: { device: 'phone', referrer: 'social' },
  midnight: { device: 'phone', referrer: 'other' },
  nordic: { device: 'desktop', referrer: 'none' },
}
